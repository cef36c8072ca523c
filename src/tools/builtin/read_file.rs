//! `read_file`: a text file of the workspace, unsaved edits included.

use serde::Deserialize;
use serde_json::json;

use crate::chat::{ContentBlock, ToolSpec};
use crate::tools::{Tool, ToolContext, ToolFuture, ToolOutput};

/// How many lines one call gives at most.
const MAX_LINES: usize = 2_000;
/// How many bytes one call gives at most.
const MAX_BYTES: usize = 100_000;

/// The tool.
pub(in crate::tools) struct ReadFile;

#[derive(Deserialize)]
struct Input {
    path: String,
    #[serde(default)]
    offset: Option<usize>,
    #[serde(default)]
    limit: Option<usize>,
}

impl Tool for ReadFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_file".to_owned(),
            description: "Reads a text file of the workspace as the user sees it, unsaved edits included. Gives at \
                          most 2000 lines; use offset and limit for more."
                .to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "The path, from the workspace folder"},
                    "offset": {"type": "integer", "description": "The first line to read, counted from 1"},
                    "limit": {"type": "integer", "description": "How many lines to read"}
                },
                "required": ["path"],
                "additionalProperties": false
            }),
            ..ToolSpec::default()
        }
    }

    fn call(&self, input: serde_json::Value, context: ToolContext) -> ToolFuture {
        Box::pin(async move {
            let input: Input = serde_json::from_value(input).map_err(|error| format!("bad arguments: {error}"))?;
            let read = context.workspace.read_text(&input.path, context.root.as_deref()).await;
            let text = read.map_err(|error| error.to_string())?.text;
            window(&text, &input)
        })
    }
}

fn window(text: &ropey::Rope, input: &Input) -> ToolOutput {
    // A text that ends with a line break has no line after it.
    let total = text.len_lines() - usize::from(text.line(text.len_lines() - 1).len_chars() == 0);
    let first = input.offset.unwrap_or(1).max(1) - 1;
    if first >= total {
        return if total == 0 && first == 0 {
            Ok(vec![ContentBlock::text("(the file is empty)")])
        } else {
            Err(format!("offset {} is behind the end: the file has {total} lines", first + 1))
        };
    }
    let wanted = input.limit.unwrap_or(MAX_LINES).clamp(1, MAX_LINES);
    let mut shown = String::new();
    let mut last = first;
    for line in text.lines_at(first).take(wanted.min(total - first)) {
        if shown.len() + line.len_bytes() > MAX_BYTES && last > first {
            break;
        }
        shown.extend(line.chunks());
        last += 1;
    }
    if shown.len() > MAX_BYTES {
        let end = (0..=MAX_BYTES).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0);
        shown.truncate(end);
        shown.push_str("\n(the line goes on; it is too long to be shown whole)");
    }
    if first > 0 || last < total {
        let note = format!("\n(lines {} to {last} of {total}; read on with offset {})", first + 1, last + 1);
        shown.push_str(&note);
    }
    Ok(vec![ContentBlock::text(shown)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, offset: Option<usize>, limit: Option<usize>) -> Result<String, String> {
        let input = Input { path: String::new(), offset, limit };
        window(&ropey::Rope::from_str(text), &input).map(|content| content[0].as_text().unwrap().to_owned())
    }

    #[test]
    fn whole_files_come_as_they_are() {
        assert_eq!(read("a\r\nb\n", None, None).unwrap(), "a\r\nb\n");
        assert_eq!(read("", None, None).unwrap(), "(the file is empty)");
    }

    #[test]
    fn a_part_says_which_part_it_is() {
        assert_eq!(read("a\nb\nc\n", Some(2), Some(1)).unwrap(), "b\n\n(lines 2 to 2 of 3; read on with offset 3)");
        assert!(read("a\n", Some(2), None).unwrap_err().contains("1 lines"));
        let long = "x\n".repeat(MAX_LINES + 1);
        assert!(read(&long, None, None).unwrap().ends_with("(lines 1 to 2000 of 2001; read on with offset 2001)"));
        assert!(read(&"é".repeat(MAX_BYTES), None, None).unwrap().contains("too long to be shown whole"));
    }
}
