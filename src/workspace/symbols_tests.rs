use std::path::Path;

use super::*;
use proptest::prelude::*;

fn outline(file: &str, text: &str) -> Vec<String> {
    let language = Language::of_path(Path::new(file)).unwrap();
    symbols(language, text)
        .into_iter()
        .map(|symbol| format!("{} {}", symbol.word, symbol.name).trim().to_owned())
        .collect()
}

#[test]
fn rust() {
    let text = "//! fn no() {}\nuse x;\npub(crate) struct A<T> {\n}\nimpl<T: X> Display for A<T> where T: Y {\n    pub async fn run(&self) {\n        fn local() {}\n        let fnord = 1;\n    }\n}\npub const fn f() {}\nconst MAX: u8 = 1;\nmod tests {\nmod elsewhere;\nmacro_rules! m {\nextern \"C\" fn c() {}\npub static mut S: u8 = 0;\n    const LOCAL: u8 = 2;\n";
    let expected = [
        "struct A",
        "impl Display for A<T>",
        "fn run",
        "fn f",
        "const MAX",
        "mod tests",
        "macro_rules! m",
        "fn c",
        "static S",
    ];
    assert_eq!(outline("a.rs", text), expected);
    let symbol = &symbols(Language::Rust, text)[2];
    assert_eq!((symbol.line, symbol.indent, symbol.kind), (6, 4, SymbolKind::Function));
}

#[test]
fn python_and_ruby() {
    let text = "class A(B):\n    def run(self):\n        def local(): pass\nasync def main():\n# def no():\n\"\"\"\nclass of things\n\"\"\"\n";
    assert_eq!(outline("a.py", text), ["class A", "def run", "def main"]);
    let text = "module M\n  class A < B\n    def self.make?\n    end\n# def no\n";
    assert_eq!(outline("a.rb", text), ["module M", "class A", "def make?"]);
}

#[test]
fn javascript_and_typescript() {
    let text = "import x from 'y';\nexport default class A extends B {\n  method() {}\n}\nexport const f = async (x) => 1;\nconst LIMIT: number = 2;\nexport async function* g() {}\nfunction* h() {}\nexport declare interface I {}\nexport type T<X> = X;\nconst { a } = b;\nconst enum E {}\n";
    let expected = ["class A", "const f", "const LIMIT", "function* h", "interface I", "type T", "const enum E"];
    let found = outline("a.ts", text);
    assert_eq!(
        found.iter().filter(|name| !name.ends_with(" g")).collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    assert!(found.contains(&"function* g".to_owned()));
    assert_eq!(symbols(Language::JavaScript, text)[1].kind, SymbolKind::Function);
}

#[test]
fn go_and_zig() {
    let text = "package p\nfunc main() {\nfunc (s *Server[T]) Serve(x int) error {\ntype A struct {\nvar x = 1\n\tvar local = 2\n";
    assert_eq!(outline("a.go", text), ["func main", "func Server.Serve", "type A", "var x"]);
    assert_eq!(outline("a.zig", "pub fn main() void {\nconst A = struct {\nconst x = 1;\n"), ["fn main", "const A"]);
}

#[test]
fn java_and_kin() {
    let text = "public final class A {\n    private static int run(int x) {\n        return call(x);\n        if (x) {\n        }\n    }\n    void go() throws E {\n    A a = new A();\n}\ninterface I {}\n";
    assert_eq!(outline("A.java", text), ["class A", "run", "go", "interface I"]);
    let text = "data class A(val x: Int)\nsuspend fun run() {\nextension String {\n";
    assert_eq!(outline("a.kt", text), ["class A", "fun run", "extension String"]);
    assert_eq!(outline("a.php", "abstract class A\n    public static function f()\n"), ["class A", "function f"]);
}

#[test]
fn c_and_cpp() {
    let text = "#include <x>\n#define MAX(a) a\n#define N 1\nstruct point {\nstruct point p;\nstatic int run(int x)\n{\n  call(x);\n}\nint twice(int x) { return 2 * x; }\nvoid A::go() {\nnamespace n {\nenum class E {\nint x = f(1)\nelse if (x) {\n";
    let expected = ["#define MAX", "struct point", "run", "A::go", "namespace n", "enum class E"];
    assert_eq!(outline("a.cpp", text), expected);
}

#[test]
fn lua_and_shell() {
    let text = "local M = {}\nfunction M.setup(x)\nlocal function help()\nM.run = function(x)\n-- function no()\nfunction M:go()\n";
    assert_eq!(outline("a.lua", text), ["function M.setup", "function help", "function M.run", "function M:go"]);
    assert_eq!(outline("a.sh", "main() {\nfunction f {\necho $(x)\n"), ["main", "function f"]);
}

#[test]
fn other_files_have_no_language() {
    for name in ["a.txt", "Makefile", "x.png", "rs"] {
        assert_eq!(Language::of_path(Path::new(name)), None, "{name}");
    }
}

proptest! {
    /// Whatever a file holds, each symbol is a line of it.
    #[test]
    fn any_text_is_taken(text in "([a-zé(){}<>=*:.#/ \n\t]|fn |class |func |impl<|const |function ){0,60}", which in 0usize..10) {
        let files = ["a.rs", "a.py", "a.ts", "a.go", "a.java", "a.cpp", "a.lua", "a.rb", "a.sh", "a.kt"];
        let language = Language::of_path(Path::new(files[which])).unwrap();
        for symbol in symbols(language, &text) {
            prop_assert!(symbol.line >= 1 && symbol.line <= text.lines().count() && !symbol.name.contains('\n'));
        }
    }
}
