//! Runs one tool call.

use std::time::Duration;

use super::{ToolContext, Tools};
use crate::chat::{ToolCall, ToolResult};

/// How long a tool may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `call` and always gives back a result that the model can read: an unknown tool, malformed arguments, a failure
/// and a tool that takes too long are results, too.
pub async fn run(tools: Tools, call: ToolCall, context: ToolContext) -> ToolResult {
    let input = match call.parsed_input() {
        Ok(input @ serde_json::Value::Object(_)) => input,
        Ok(_) => return ToolResult::error(call.id, "the input is not a JSON object; send the arguments as an object"),
        Err(error) => {
            let message = format!("the input is not valid JSON ({error}); send it again. It was: {}", call.input);
            return ToolResult::error(call.id, message);
        }
    };
    let Some(tool) = tools.get(&call.name) else {
        let names: Vec<&str> = tools.names().collect();
        return ToolResult::error(call.id, format!("there is no tool {}; there are: {}", call.name, names.join(", ")));
    };
    match tokio::time::timeout(TIMEOUT, tool.call(input, context)).await {
        Ok(Ok(content)) => ToolResult { call_id: call.id, content, is_error: false },
        Ok(Err(message)) => ToolResult::error(call.id, message),
        Err(_) => ToolResult::error(call.id, format!("the tool took more than {} seconds", TIMEOUT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;
    use std::sync::Arc;

    async fn answer(name: &str, input: &str) -> ToolResult {
        let call = ToolCall { id: "c".into(), name: name.into(), input: input.into() };
        let context = ToolContext { workspace: Arc::new(Workspace::default()), root: None };
        run(Tools::builtin(), call, context).await
    }

    #[tokio::test]
    async fn whatever_happens_there_is_a_result_that_says_why() {
        for (name, input, says) in [
            ("nothing", "{}", "read_file"),
            ("read_file", "{\"path\":", "not valid JSON"),
            ("read_file", "[1]", "not a JSON object"),
            ("read_file", "{}", "path"),
            ("read_file", "{\"path\":\"x\"}", "no workspace folder"),
        ] {
            let result = answer(name, input).await;
            let text = result.content[0].as_text().unwrap();
            assert!(result.is_error && result.call_id == "c" && text.contains(says), "{name} {input}: {text}");
        }
    }
}
