//! The languages whose declarations are known, and by which words these are known. Tables.

use std::path::Path;

use super::binary::is_binary_name;
use SymbolKind::{Function, Implementation, Macro, Module, Type, Value};

/// A language whose declarations are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Language {
    C,
    CSharp,
    Go,
    Java,
    JavaScript,
    Kotlin,
    Lua,
    Php,
    Python,
    Ruby,
    Rust,
    Shell,
    Swift,
    Zig,
}

impl Language {
    /// The language of a file of this name.
    pub fn of_path(path: &Path) -> Option<Self> {
        if is_binary_name(path) {
            return None;
        }
        Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" => Self::C,
            "cs" => Self::CSharp,
            "go" => Self::Go,
            "java" | "scala" => Self::Java,
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" => Self::JavaScript,
            "kt" | "kts" => Self::Kotlin,
            "lua" => Self::Lua,
            "php" => Self::Php,
            "py" | "pyi" => Self::Python,
            "rb" => Self::Ruby,
            "rs" => Self::Rust,
            "sh" | "bash" | "zsh" => Self::Shell,
            "swift" => Self::Swift,
            "zig" => Self::Zig,
            _ => return None,
        })
    }
}

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SymbolKind {
    /// A function or a method.
    Function,
    /// A class, a struct, an enum, an interface or the like.
    Type,
    /// A module or a namespace.
    Module,
    /// A constant or a global variable.
    Value,
    /// A macro.
    Macro,
    /// What holds methods of a type that is declared elsewhere.
    Implementation,
}

/// By which words declarations are known.
pub(super) struct Syntax {
    /// Words that may come before a declaration's own word.
    pub(super) before: &'static [&'static str],
    /// The words of declarations.
    pub(super) words: &'static [(&'static str, SymbolKind)],
    /// Declarations that are set in further are left out: they are local.
    pub(super) max_indent: usize,
    /// How a comment that fills a line begins.
    pub(super) comment: &'static [&'static str],
}

const SLASHES: &[&str] = &["//", "/*", "*"];

/// The words of `language`.
pub(super) fn syntax(language: Language) -> &'static Syntax {
    match language {
        Language::C => &C,
        Language::CSharp | Language::Java => &JAVA,
        Language::Go => &GO,
        Language::JavaScript => &JAVASCRIPT,
        Language::Kotlin | Language::Swift => &KOTLIN,
        Language::Lua => &LUA,
        Language::Php => &PHP,
        Language::Python => &PYTHON,
        Language::Ruby => &RUBY,
        Language::Rust => &RUST,
        Language::Shell => &SHELL,
        Language::Zig => &ZIG,
    }
}

static RUST: Syntax = Syntax {
    before: &["pub", "async", "unsafe", "const fn", "extern", "default", "\"C\""],
    words: &[
        ("fn", Function),
        ("struct", Type),
        ("enum", Type),
        ("union", Type),
        ("trait", Type),
        ("type", Type),
        ("mod", Module),
        ("const", Value),
        ("static", Value),
        ("macro_rules!", Macro),
        ("impl", Implementation),
    ],
    max_indent: 4,
    comment: SLASHES,
};

static PYTHON: Syntax =
    Syntax { before: &["async"], words: &[("def", Function), ("class", Type)], max_indent: 4, comment: &["#"] };

static JAVASCRIPT: Syntax = Syntax {
    before: &["export", "default", "async", "declare", "abstract"],
    words: &[
        ("function*", Function),
        ("function", Function),
        ("class", Type),
        ("interface", Type),
        ("const enum", Type),
        ("enum", Type),
        ("type", Type),
        ("namespace", Module),
        ("const", Value),
    ],
    max_indent: 0,
    comment: SLASHES,
};

static GO: Syntax = Syntax {
    before: &[],
    words: &[("func", Function), ("type", Type), ("const", Value), ("var", Value)],
    max_indent: 0,
    comment: SLASHES,
};

static JAVA: Syntax = Syntax {
    before: &[
        "public",
        "private",
        "protected",
        "internal",
        "static",
        "final",
        "abstract",
        "sealed",
        "partial",
        "strictfp",
        "readonly",
        "case",
    ],
    words: &[
        ("class", Type),
        ("interface", Type),
        ("enum", Type),
        ("record", Type),
        ("struct", Type),
        ("trait", Type),
        ("object", Type),
        ("@interface", Type),
        ("namespace", Module),
        ("def", Function),
    ],
    max_indent: 8,
    comment: SLASHES,
};

static KOTLIN: Syntax = Syntax {
    before: &[
        "public",
        "private",
        "protected",
        "internal",
        "fileprivate",
        "open",
        "final",
        "abstract",
        "sealed",
        "data",
        "inner",
        "inline",
        "override",
        "suspend",
        "static",
        "mutating",
        "operator",
        "indirect",
    ],
    words: &[
        ("fun", Function),
        ("func", Function),
        ("class", Type),
        ("interface", Type),
        ("object", Type),
        ("struct", Type),
        ("enum", Type),
        ("protocol", Type),
        ("actor", Type),
        ("extension", Implementation),
        ("typealias", Type),
    ],
    max_indent: 8,
    comment: SLASHES,
};

static C: Syntax = Syntax {
    before: &["typedef", "static", "inline", "extern"],
    words: &[
        ("struct", Type),
        ("class", Type),
        ("enum class", Type),
        ("enum", Type),
        ("union", Type),
        ("namespace", Module),
        ("#define", Macro),
    ],
    max_indent: 0,
    comment: SLASHES,
};

static LUA: Syntax = Syntax { before: &["local"], words: &[("function", Function)], max_indent: 0, comment: &["--"] };

static RUBY: Syntax = Syntax {
    before: &[],
    words: &[("def", Function), ("class", Type), ("module", Module)],
    max_indent: 8,
    comment: &["#"],
};

static PHP: Syntax = Syntax {
    before: &["public", "private", "protected", "static", "final", "abstract", "readonly"],
    words: &[
        ("function", Function),
        ("class", Type),
        ("interface", Type),
        ("trait", Type),
        ("enum", Type),
        ("namespace", Module),
    ],
    max_indent: 4,
    comment: &["//", "/*", "*", "#"],
};

static SHELL: Syntax = Syntax { before: &[], words: &[("function", Function)], max_indent: 0, comment: &["#"] };

static ZIG: Syntax = Syntax {
    before: &["pub", "export", "inline"],
    words: &[("fn", Function), ("const", Value)],
    max_indent: 4,
    comment: &["//"],
};
