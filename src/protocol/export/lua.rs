//! Writes the contract as a Lua module with LuaCATS annotations.

use super::model::{Model, Shape, Type, TypeDef};
use super::{HEADER, text};
use crate::error::ErrorCode;
use crate::protocol::{METHODS, PROTOCOL_VERSION};

/// What the names of all types begin with: Lua's annotations know no modules.
const NAMESPACE: &str = "souffleur.";

/// The whole file.
pub(super) fn write(model: &Model) -> String {
    let mut out = vec![format!("-- {HEADER}"), String::new()];
    for def in &model.types {
        declaration(&mut out, def);
        out.push(String::new());
    }
    out.push("local M = {}".to_owned());
    out.push(String::new());
    out.push("---The version of this contract. It grows when something that worked before no longer would.".to_owned());
    out.push(format!("M.PROTOCOL_VERSION = {PROTOCOL_VERSION}"));
    out.push(String::new());
    let methods = METHODS.iter().map(|method| (method_key(method.name), method.name));
    table(&mut out, "All custom methods, and `$/progress` as the server sends it for a turn.", "methods", methods);
    let codes = ErrorCode::ALL.iter().map(|code| (code.as_str().replace('.', "_"), code.as_str()));
    table(&mut out, "The values of `error.data.code`.", "error_codes", codes);
    out.push("return M".to_owned());
    text(&out)
}

/// A method's name as a key: `souffleur/session/new` is `session_new`.
fn method_key(name: &str) -> String {
    name.trim_start_matches("souffleur/").trim_start_matches("$/").replace('/', "_")
}

fn table<'a>(out: &mut Vec<String>, doc: &str, name: &str, rows: impl Iterator<Item = (String, &'a str)>) {
    out.push(format!("---{doc}"));
    out.push(format!("M.{name} = {{"));
    out.extend(rows.map(|(key, value)| format!("  {key} = {},", quoted(value))));
    out.push("}".to_owned());
    out.push(String::new());
}

fn declaration(out: &mut Vec<String>, def: &TypeDef) {
    if !def.doc.is_empty() {
        out.push(format!("---{}", def.doc));
    }
    let name = &def.name;
    match &def.shape {
        Shape::Object { parents, fields } => {
            let parents: Vec<_> = parents.iter().map(|parent| format!("{NAMESPACE}{parent}")).collect();
            let parents = if parents.is_empty() { String::new() } else { format!(": {}", parents.join(", ")) };
            out.push(format!("---@class {NAMESPACE}{name}{parents}"));
            for field in fields {
                let mark = if field.optional { "?" } else { "" };
                let line = format!("---@field {}{mark} {} {}", field.name, expression(&field.ty), field.doc);
                out.push(line.trim_end().to_owned());
            }
        }
        Shape::Words(words) => {
            out.push(format!("---@alias {NAMESPACE}{name}"));
            for word in words {
                let mark = if word.doc.is_empty() { "" } else { " # " };
                out.push(format!("---| {}{mark}{}", quoted(&word.text), word.doc));
            }
        }
        Shape::Alias(Type::Union(choices)) => {
            out.push(format!("---@alias {NAMESPACE}{name}"));
            out.extend(choices.iter().map(|choice| format!("---| {}", expression(choice))));
        }
        Shape::Alias(ty) => out.push(format!("---@alias {NAMESPACE}{name} {}", expression(ty))),
    }
}

fn expression(ty: &Type) -> String {
    match ty {
        Type::Unknown => "any".to_owned(),
        Type::Null => "nil".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Integer => "integer".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Literal(text) => quoted(text),
        Type::Named(name) => format!("{NAMESPACE}{name}"),
        Type::Array(items) if matches!(**items, Type::Union(_)) => format!("({})[]", expression(items)),
        Type::Array(items) => format!("{}[]", expression(items)),
        Type::Map(values) => format!("table<string, {}>", expression(values)),
        Type::Union(types) => types.iter().map(expression).collect::<Vec<_>>().join("|"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::export::schema::definitions;

    #[test]
    fn objects_unions_and_words_read_as_annotations() {
        let text = write(&Model::read(&definitions()));
        for expected in [
            "---@class souffleur.CloseResult\n",
            "---@alias souffleur.SessionId string\n",
            "---@alias souffleur.StreamToken\n---| integer\n---| string\n",
            "---| \"idle\" # It takes a prompt.\n",
            "---@field seq integer Always 0.\n",
            "---@field workspaceUri? string ",
            "---@field items souffleur.Item[] ",
            "---@class souffleur.ProgressValueEnd: souffleur.ProgressEnd\n---@field kind \"end\"\n",
            "---| souffleur.ProgressValueReport\n",
            "---@field input any ",
            "M.PROTOCOL_VERSION = 1\n",
            "  session_new = \"souffleur/session/new\",\n",
            "  progress = \"$/progress\",\n",
            "  auth_missing_key = \"auth.missing_key\",\n",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
    }

    #[test]
    fn types_nest_and_text_is_quoted() {
        let union = Type::Union(vec![Type::String, Type::Null]);
        assert_eq!(expression(&Type::Array(Box::new(union))), "(string|nil)[]");
        assert_eq!(expression(&Type::Map(Box::new(Type::Number))), "table<string, number>");
        assert_eq!(quoted("a\\\"b"), r#""a\\\"b""#);
    }

    #[test]
    fn keys_are_names_and_none_comes_twice() {
        let mut keys: Vec<_> = METHODS.iter().map(|method| method_key(method.name)).collect();
        assert!(keys.iter().flat_map(|key| key.chars()).all(|c| c.is_ascii_alphanumeric() || c == '_'));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), METHODS.len());
    }
}
