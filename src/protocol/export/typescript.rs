//! Writes the contract as TypeScript.

use super::model::{Model, Shape, Type, TypeDef};
use super::{HEADER, schema, text, wrap};
use crate::protocol::{METHODS, PROTOCOL_VERSION};

/// The columns a line of a doc comment has.
const WIDTH: usize = 110;

/// The whole file.
pub(super) fn write(model: &Model) -> String {
    let mut out = vec![format!("// {HEADER}"), String::new()];
    doc(&mut out, "", "The version of this contract. It grows when something that worked before no longer would.");
    out.push(format!("export const PROTOCOL_VERSION = {PROTOCOL_VERSION};"));
    out.push(String::new());
    methods(&mut out);
    for def in &model.types {
        out.push(String::new());
        declaration(&mut out, def);
    }
    text(&out)
}

fn methods(out: &mut Vec<String>) {
    doc(out, "", "All custom methods by name, and `$/progress` as the server sends it for a turn.");
    out.push("export interface Methods {".to_owned());
    for method in METHODS {
        let (direction, kind) = (schema::direction(method.direction), schema::kind(method.kind));
        let result = method.result.map(|name| format!("; result: {name}")).unwrap_or_default();
        let (name, params) = (method.name, method.params);
        let types = format!("params: {params}{result}");
        out.push(format!("  \"{name}\": {{ direction: \"{direction}\"; kind: \"{kind}\"; {types} }};"));
    }
    out.push("}".to_owned());
}

fn declaration(out: &mut Vec<String>, def: &TypeDef) {
    doc(out, "", &def.doc);
    let name = &def.name;
    match &def.shape {
        Shape::Object { parents, fields } => {
            let parents = if parents.is_empty() { String::new() } else { format!(" extends {}", parents.join(", ")) };
            out.push(format!("export interface {name}{parents} {{"));
            for field in fields {
                doc(out, "  ", &field.doc);
                let mark = if field.optional { "?" } else { "" };
                out.push(format!("  {}{mark}: {};", field.name, expression(&field.ty)));
            }
            out.push("}".to_owned());
        }
        Shape::Words(words) => {
            out.push(format!("export type {name} ="));
            for (number, word) in words.iter().enumerate() {
                doc(out, "  ", &word.doc);
                let end = if number + 1 == words.len() { ";" } else { "" };
                out.push(format!("  | {}{end}", quoted(&word.text)));
            }
        }
        Shape::Alias(ty) => out.push(format!("export type {name} = {};", expression(ty))),
    }
}

fn expression(ty: &Type) -> String {
    match ty {
        Type::Unknown => "unknown".to_owned(),
        Type::Null => "null".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Integer | Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Literal(text) => quoted(text),
        Type::Named(name) => name.clone(),
        Type::Array(items) if matches!(**items, Type::Union(_)) => format!("({})[]", expression(items)),
        Type::Array(items) => format!("{}[]", expression(items)),
        Type::Map(values) => format!("{{ [key: string]: {} }}", expression(values)),
        Type::Union(types) => types.iter().map(expression).collect::<Vec<_>>().join(" | "),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn doc(out: &mut Vec<String>, indent: &str, text: &str) {
    let text = text.replace("*/", "* /");
    match wrap(&text, WIDTH - indent.len()).as_slice() {
        [] => {}
        [line] => out.push(format!("{indent}/** {line} */")),
        lines => {
            out.push(format!("{indent}/**"));
            out.extend(lines.iter().map(|line| format!("{indent} * {line}")));
            out.push(format!("{indent} */"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::export::schema::definitions;

    #[test]
    fn objects_unions_and_words_read_as_typescript() {
        let text = write(&Model::read(&definitions()));
        for expected in [
            "export const PROTOCOL_VERSION = 1;\n",
            "  \"souffleur/session/new\": { direction: \"clientToServer\"; kind: \"request\"; params: NewParams; result: NewResult };\n",
            "export interface CloseResult {\n}\n",
            "export type SessionId = string;\n",
            "export type StreamToken = number | string;\n",
            "  /** It takes a prompt. */\n  | \"idle\"\n",
            "  /** Always 0. */\n  seq: number;\n",
            "  workspaceUri?: string;\n",
            "  items: Item[];\n",
            "export interface ProgressValueEnd extends ProgressEnd {\n  kind: \"end\";\n}\n",
            "export type ProgressValue = ProgressValueBegin | ProgressValueReport | ProgressValueEnd;\n",
            "  type: \"toolCall\";\n",
            "  input: unknown;\n",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
    }

    #[test]
    fn types_nest_and_comments_cannot_be_closed_from_within() {
        let union = Type::Union(vec![Type::String, Type::Null]);
        assert_eq!(expression(&Type::Array(Box::new(union))), "(string | null)[]");
        assert_eq!(expression(&Type::Map(Box::new(Type::Literal("a\"b".into())))), r#"{ [key: string]: "a\"b" }"#);
        let mut out = Vec::new();
        doc(&mut out, "", "a */ b");
        assert_eq!(out, ["/** a * / b */"]);
    }
}
