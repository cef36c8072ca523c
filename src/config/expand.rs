//! `${VAR}` in the user's own file.

use super::environment::Environment;

/// Replaces `${NAME}` by the variable's value and `${NAME:-text}` by it or, where it is not set, by `text`. `$${` stands
/// for `${` itself. A lone `$` is a dollar.
///
/// # Errors
/// What is wrong: a variable that is not set and has no default, or a reference that does not end.
pub fn expand(text: &str, environment: &Environment) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            expanded.push_str(&rest[..at - 1]);
            expanded.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        expanded.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let end = inner.find('}').ok_or_else(|| format!("`{}` has no closing brace", &rest[at..]))?;
        expanded.push_str(&lookup(&inner[..end], environment)?);
        rest = &inner[end + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Writes `text` so that [`expand`] gives it back.
pub fn escape(text: &str) -> String {
    text.replace("${", "$${")
}

fn lookup(reference: &str, environment: &Environment) -> Result<String, String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(format!("`${{{name}}}` is not the name of a variable"));
    }
    match (environment.get(name), default) {
        (Some(value), _) => Ok(value.to_owned()),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!("the environment variable {name} is not set")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_are_replaced() {
        let environment = Environment::from([("A", "1"), ("BLANK", " ")]);
        let expand = |text: &str| expand(text, &environment);
        assert_eq!(expand("x${A}y${A}").unwrap(), "x1y1");
        assert_eq!(expand("${B:-two}${A:-three}${BLANK:-four}").unwrap(), "two1four");
        assert_eq!(expand("${B:-}").unwrap(), "");
        assert_eq!(expand("$A $5 $${A}").unwrap(), "$A $5 ${A}");
        assert!(expand("${B}").unwrap_err().contains("B is not set"));
        assert!(expand("${A").unwrap_err().contains("closing"));
        assert!(expand("${a b}").is_err() && expand("${}").is_err() && expand("${1}").is_err());
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in "[${}A:\\- é]{0,24}") {
            // A dollar before an escaped reference would join it.
            prop_assume!(!text.contains("$${"));
            prop_assert_eq!(expand(&escape(&text), &Environment::default()).unwrap(), text);
        }
    }
}
