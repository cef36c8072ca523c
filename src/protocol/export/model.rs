//! Declarations as a typed language writes them, read from JSON Schema.

use serde_json::{Map, Value};

use super::schema::REF_PREFIX;

/// All declarations.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// In the order of the definitions; the variants of a union stand right before it.
    pub types: Vec<TypeDef>,
    /// What of the schema this reader has no word for, as `Type: keyword`. A test holds it empty.
    pub unsupported: Vec<String>,
}

/// One named type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypeDef {
    /// Its name.
    pub name: String,
    /// What it is, in one line; may be empty.
    pub doc: String,
    /// How it is made.
    pub shape: Shape,
}

/// How a named type is made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object: all fields of the parents, and its own.
    Object { parents: Vec<String>, fields: Vec<Field> },
    /// One of these words.
    Words(Vec<Word>),
    /// Another name for a type.
    Alias(Type),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub name: String,
    /// What it is, in one line; may be empty.
    pub doc: String,
    /// Whether it may be absent. Null is then no word of its own for it.
    pub optional: bool,
    /// What it holds.
    pub ty: Type,
}

/// One value of an enumeration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The value.
    pub text: String,
    /// What it means, in one line; may be empty.
    pub doc: String,
}

/// A use of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Any value.
    Unknown,
    /// Null.
    Null,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// This text only.
    Literal(String),
    /// A named type.
    Named(String),
    /// A list.
    Array(Box<Type>),
    /// An object with keys that the contract does not name.
    Map(Box<Type>),
    /// One of several.
    Union(Vec<Type>),
}

/// What is read, or has no effect on a declaration.
const KEYWORDS: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maximum",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];

impl Model {
    /// Reads the definitions of a JSON Schema document.
    pub(super) fn read(definitions: &Map<String, Value>) -> Self {
        let mut model = Self::default();
        for (name, schema) in definitions {
            model.define(name, schema);
        }
        model
    }

    fn define(&mut self, name: &str, schema: &Value) {
        self.check_keywords(name, schema);
        let variants = list(schema, "oneOf");
        let shape = if let Some(words) = words(variants).or_else(|| words(std::slice::from_ref(schema))) {
            Shape::Words(words)
        } else if !variants.is_empty() {
            self.union(name, schema, variants)
        } else if schema.get("type").is_some_and(|kind| kind == "object") && !is_map(schema) {
            let (parents, fields) = self.members(name, schema);
            Shape::Object { parents, fields }
        } else {
            Shape::Alias(self.type_of(name, schema))
        };
        self.types.push(TypeDef { name: name.to_owned(), doc: doc(schema), shape });
    }

    /// An object with a tag that says which one it is: each variant gets a name and the fields they share.
    fn union(&mut self, name: &str, schema: &Value, variants: &[Value]) -> Shape {
        let (parents, shared) = self.members(name, schema);
        let mut names = Vec::new();
        for variant in variants {
            self.check_keywords(name, variant);
            let (mut own_parents, own) = self.members(name, variant);
            let Some(tag) = own.iter().find_map(|field| match &field.ty {
                Type::Literal(tag) => Some(tag.clone()),
                _ => None,
            }) else {
                self.unsupported.push(format!("{name}: a variant without a tag"));
                return Shape::Alias(Type::Unknown);
            };
            own_parents.splice(0..0, parents.iter().cloned());
            let variant_name = format!("{name}{}", capitalised(&tag));
            let fields = shared.iter().cloned().chain(own).collect();
            let shape = Shape::Object { parents: own_parents, fields };
            self.types.push(TypeDef { name: variant_name.clone(), doc: doc(variant), shape });
            names.push(Type::Named(variant_name));
        }
        Shape::Alias(Type::Union(names))
    }

    /// The types whose fields `schema` takes over, and its own fields, those of its `allOf` included.
    fn members(&mut self, name: &str, schema: &Value) -> (Vec<String>, Vec<Field>) {
        let mut parents: Vec<String> = reference(schema).into_iter().collect();
        let mut fields = Vec::new();
        let required = list(schema, "required");
        for (key, value) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let optional = !required.iter().any(|entry| entry == key);
            let ty = self.type_of(name, value);
            let ty = if optional { without_null(ty) } else { ty };
            fields.push(Field { name: key.clone(), doc: doc(value), optional, ty });
        }
        for part in list(schema, "allOf") {
            self.check_keywords(name, part);
            if part.get("oneOf").is_some() || part.get("anyOf").is_some() {
                self.unsupported.push(format!("{name}: a union within allOf"));
            }
            let (more_parents, more_fields) = self.members(name, part);
            parents.extend(more_parents);
            fields.extend(more_fields);
        }
        (parents, fields)
    }

    fn type_of(&mut self, name: &str, schema: &Value) -> Type {
        self.check_keywords(name, schema);
        if let Some(target) = reference(schema) {
            return Type::Named(target);
        }
        if let Some(text) = schema.get("const").and_then(Value::as_str) {
            return Type::Literal(text.to_owned());
        }
        let literals = list(schema, "enum");
        if !literals.is_empty() {
            return Type::Union(literals.iter().filter_map(Value::as_str).map(|t| Type::Literal(t.into())).collect());
        }
        for keyword in ["anyOf", "oneOf"] {
            let choices = list(schema, keyword);
            if !choices.is_empty() {
                return union_of(choices.iter().map(|choice| self.type_of(name, choice)).collect());
            }
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.primitive(name, kind, schema),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                union_of(kinds.map(|kind| self.primitive(name, kind, schema)).collect())
            }
            _ => {
                if schema.get("allOf").is_some() || schema.get("properties").is_some() {
                    self.unsupported.push(format!("{name}: an object without a name"));
                }
                Type::Unknown
            }
        }
    }

    fn primitive(&mut self, name: &str, kind: &str, schema: &Value) -> Type {
        match kind {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" => Type::String,
            "array" => {
                let items = schema.get("items").map_or(Type::Unknown, |items| self.type_of(name, items));
                Type::Array(Box::new(items))
            }
            "object" if schema.get("properties").is_none() => {
                let values = schema.get("additionalProperties").filter(|values| values.is_object());
                Type::Map(Box::new(values.map_or(Type::Unknown, |values| self.type_of(name, values))))
            }
            other => {
                self.unsupported.push(format!("{name}: {other} without a name"));
                Type::Unknown
            }
        }
    }

    fn check_keywords(&mut self, name: &str, schema: &Value) {
        for key in schema.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !KEYWORDS.contains(&key.as_str()) {
                self.unsupported.push(format!("{name}: {key}"));
            }
        }
    }
}

fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn doc(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn reference(schema: &Value) -> Option<String> {
    schema.get("$ref")?.as_str()?.strip_prefix(REF_PREFIX).map(str::to_owned)
}

fn is_map(schema: &Value) -> bool {
    schema.get("additionalProperties").is_some_and(|values| values != &Value::Bool(false))
}

/// The words of an enumeration, if `choices` are nothing else.
fn words(choices: &[Value]) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    for choice in choices {
        let constant = choice.get("const").into_iter();
        let before = words.len();
        for text in constant.chain(list(choice, "enum")) {
            words.push(Word { text: text.as_str()?.to_owned(), doc: doc(choice) });
        }
        if words.len() == before {
            return None;
        }
    }
    (!words.is_empty()).then_some(words)
}

fn union_of(mut types: Vec<Type>) -> Type {
    if types.len() == 1 { types.remove(0) } else { Type::Union(types) }
}

fn without_null(ty: Type) -> Type {
    match ty {
        Type::Union(types) => union_of(types.into_iter().filter(|ty| *ty != Type::Null).collect()),
        ty => ty,
    }
}

/// A tag as the end of a type's name: `toolCall` and `tool_call` are `ToolCall`.
fn capitalised(tag: &str) -> String {
    tag.split(|c: char| !c.is_alphanumeric())
        .flat_map(|part| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
