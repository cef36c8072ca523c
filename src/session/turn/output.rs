//! An answer that has to be a value of a given schema.

use std::sync::Arc;

use crate::chat::MessageBlock;
use crate::error::{ErrorCode, UserError};
use crate::provider::{Mismatch, Validator, repair_prompt};

/// How many times a model that was asked in words may mend its answer.
const MAX_REPAIRS: u32 = 2;

/// What the answer has to be, and how the model was told.
#[derive(Clone, Debug)]
pub struct OutputPlan {
    /// Checks against the caller's own schema.
    pub validator: Arc<Validator>,
    /// How the model was told.
    pub told: Told,
}

/// How a model is told what its answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// By the provider, which holds the model to it.
    Natively,
    /// By a tool that it has to call: the call's input is the answer.
    ByTool,
    /// In words.
    InWords,
}

/// The name of the tool of [`Told::ByTool`].
pub const ANSWER_TOOL: &str = "answer";

/// The judge of a turn's answers.
#[derive(Debug)]
pub(super) struct Output {
    plan: OutputPlan,
    repairs: u32,
}

/// What becomes of an answer.
pub(super) enum Verdict {
    /// It is this value.
    Accept(serde_json::Value),
    /// The model is asked once more, with these words.
    Repair(String),
    /// It is none.
    Reject(UserError),
}

impl Output {
    pub(super) fn new(plan: OutputPlan) -> Self {
        Self { plan, repairs: 0 }
    }

    /// Whether this tool's call is the answer.
    pub(super) fn is_answer(&self, tool: &str) -> bool {
        self.plan.told == Told::ByTool && tool == ANSWER_TOOL
    }

    /// Judges an answer.
    pub(super) fn judge(&mut self, content: &[MessageBlock]) -> Verdict {
        let mismatch = match self.plan.validator.check(&self.text(content)) {
            Ok(value) => return Verdict::Accept(value),
            Err(mismatch) => mismatch,
        };
        if self.plan.told == Told::InWords && self.repairs < MAX_REPAIRS {
            self.repairs += 1;
            return Verdict::Repair(repair_prompt(&mismatch));
        }
        let what = match &mismatch {
            Mismatch::NotJson { message } => format!("the answer is not JSON: {message}"),
            Mismatch::Invalid { errors } => format!("the answer does not fit the schema: {}", errors.join("; ")),
        };
        Verdict::Reject(
            UserError::new(ErrorCode::OutputMismatch, what).with_hint("the answer is kept; send the prompt again"),
        )
    }

    /// The text of the answer: the input of the answering tool, or all that was said.
    fn text(&self, content: &[MessageBlock]) -> String {
        let piece = |block: &MessageBlock| match block {
            MessageBlock::ToolCall(call) if self.is_answer(&call.name) => Some(call.input.clone()),
            MessageBlock::Text { text } if self.plan.told != Told::ByTool => Some(text.clone()),
            _ => None,
        };
        content.iter().filter_map(piece).collect()
    }
}

/// The error of an answer that was cut by a limit before it was whole.
pub(super) fn cut_off() -> UserError {
    UserError::new(ErrorCode::OutputCutOff, "the answer was cut before it was a whole value")
        .with_hint("raise maxOutputTokens, or ask for less")
}
