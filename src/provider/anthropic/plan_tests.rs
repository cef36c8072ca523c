use super::*;
use crate::models::anthropic_model;
use crate::provider::options::AnthropicOptions;

fn planned(id: &str, options: &RequestOptions) -> Result<Plan, Error> {
    plan(id, &anthropic_model(id), options, 32_000, true)
}

fn with_thinking(id: &str, thinking: Thinking, effort: Option<Effort>) -> Result<Option<Thinking>, String> {
    let options = RequestOptions { thinking, effort, ..RequestOptions::default() };
    planned(id, &options).map(|plan| plan.thinking).map_err(|error| error.message)
}

/// The vendor's table of which model takes which thinking.
#[test]
fn thinking_follows_the_table() {
    let budget = Thinking::Enabled { budget_tokens: 2_000 };
    let takes = |id: &str, thinking| with_thinking(id, thinking, None).is_ok();
    for (id, adaptive, enabled, disabled, between) in [
        ("claude-fable-5-2", true, false, false, false),
        ("claude-mythos-5", true, false, false, false),
        ("claude-opus-5-5", true, false, false, false),
        ("claude-sonnet-5-5", true, false, false, true),
        ("claude-haiku-5-5", true, false, true, false),
        ("claude-opus-5", true, false, true, false),
        ("claude-sonnet-5", true, false, true, false),
        ("claude-opus-4-8", true, false, true, false),
        ("claude-opus-4-7", true, false, true, false),
        ("claude-opus-4-6", true, true, true, false),
        ("claude-sonnet-4-6", true, true, true, false),
        ("claude-mythos-preview", true, true, false, false),
        ("claude-opus-4-5", false, true, true, false),
        ("claude-sonnet-4-5-20250929", false, true, true, false),
        ("claude-haiku-4-5", false, true, true, false),
    ] {
        let found = [Thinking::Adaptive, budget, Thinking::Disabled, Thinking::BetweenTools].map(|t| takes(id, t));
        assert_eq!(found, [adaptive, enabled, disabled, between], "{id}");
        let auto = with_thinking(id, Thinking::Auto, None).unwrap();
        assert_eq!(auto, adaptive.then_some(Thinking::Adaptive), "{id}");
    }
}

#[test]
fn the_hardest_efforts_think() {
    for (id, thinking) in [
        ("claude-haiku-5-5", Thinking::Disabled),
        ("claude-opus-5", Thinking::Disabled),
        ("claude-sonnet-5-5", Thinking::BetweenTools),
    ] {
        assert!(with_thinking(id, thinking, Some(Effort::High)).is_ok(), "{id}");
        assert!(with_thinking(id, thinking, Some(Effort::Max)).unwrap_err().contains("effort"), "{id}");
    }
    assert!(with_thinking("claude-opus-4-8", Thinking::Disabled, Some(Effort::Max)).is_ok());
}

#[test]
fn a_budget_has_its_bounds() {
    for (budget_tokens, good) in [(1_023, false), (1_024, true), (31_999, true), (32_000, false)] {
        let found = with_thinking("claude-opus-4-5", Thinking::Enabled { budget_tokens }, None);
        assert_eq!(found.is_ok(), good, "{budget_tokens}");
    }
}

#[test]
fn an_effort_that_a_model_lacks_becomes_the_next_lower_one_and_is_told() {
    let with = |id: &str, effort| {
        let plan = planned(id, &RequestOptions { effort: Some(effort), ..RequestOptions::default() }).unwrap();
        (plan.effort, plan.notices.len())
    };
    assert_eq!(with("claude-opus-5-5", Effort::Xhigh), (Some(Effort::Xhigh), 0));
    assert_eq!(with("claude-opus-4-6", Effort::Xhigh), (Some(Effort::High), 1));
    assert_eq!(with("claude-opus-4-5", Effort::Max), (Some(Effort::High), 1));
    assert_eq!(with("claude-sonnet-4-5", Effort::Low), (None, 1));
    assert_eq!(with("claude-of-tomorrow", Effort::Max), (Some(Effort::Max), 0));
}

#[test]
fn a_tool_is_forced_only_where_that_is_allowed() {
    let any = RequestOptions { tool_choice: ToolChoice::Any, ..RequestOptions::default() };
    for id in ["claude-fable-5-2", "claude-mythos-5-1", "claude-opus-5-5", "claude-sonnet-5-5"] {
        assert!(planned(id, &any).is_err(), "{id}");
    }
    for id in ["claude-haiku-5-5", "claude-opus-5", "claude-fable-5", "claude-sonnet-4-5"] {
        assert_eq!(planned(id, &any).unwrap().tool_choice, Some((ToolChoice::Any, ParallelTools::Allowed)), "{id}");
    }
    let manual = RequestOptions { thinking: Thinking::Enabled { budget_tokens: 2_000 }, ..any };
    assert!(planned("claude-opus-4-6", &manual).unwrap_err().message.contains("forced"));
    assert_eq!(planned("claude-opus-5-5", &RequestOptions::default()).unwrap().tool_choice, None);
    let one = RequestOptions { parallel_tools: ParallelTools::Forbidden, ..RequestOptions::default() };
    assert!(planned("claude-opus-5-5", &one).unwrap().tool_choice.is_some());
}

#[test]
fn sampling_is_sent_only_where_version_and_model_take_it() {
    let sampling = Sampling { temperature: Some(0.2), top_p: Some(0.97), top_k: Some(3) };
    let with = |id: &str, version, thinking| {
        let anthropic = AnthropicOptions { version, ..AnthropicOptions::default() };
        let options = RequestOptions { thinking, sampling, anthropic, ..RequestOptions::default() };
        let plan = planned(id, &options).unwrap();
        (plan.sampling, plan.notices.len())
    };
    let old = ApiVersion::V20230601;
    assert_eq!(with("claude-opus-4-5", ApiVersion::V20261021, Thinking::Auto), (Sampling::default(), 1));
    assert_eq!(with("claude-opus-5", old, Thinking::Disabled), (Sampling::default(), 1));
    assert_eq!(with("claude-opus-4-5", old, Thinking::Auto), (sampling, 0));
    let narrow = Sampling { top_p: Some(0.97), ..Sampling::default() };
    assert_eq!(with("claude-opus-4-6", old, Thinking::Adaptive), (narrow, 1));
}

#[test]
fn thinking_by_budget_between_tools_needs_a_beta() {
    let options = RequestOptions { thinking: Thinking::Enabled { budget_tokens: 2_000 }, ..RequestOptions::default() };
    assert_eq!(planned("claude-opus-4-5", &options).unwrap().betas, [INTERLEAVED]);
    assert!(planned("claude-opus-4-6", &options).unwrap().betas.is_empty());
    let without_tools = plan("claude-opus-4-5", &anthropic_model("claude-opus-4-5"), &options, 32_000, false).unwrap();
    assert!(without_tools.betas.is_empty());
}

#[test]
fn retirement_is_told_with_the_successor() {
    let told = |id: &str, today: &str, soon: &str| {
        lifecycle(id, &anthropic_model(id), today, soon).map(|notice| (notice.code, notice.message))
    };
    let (code, message) = told("claude-sonnet-4-5", "2026-11-20", "2026-12-20").unwrap();
    assert_eq!(code, "model.retiring");
    assert!(message.contains("2026-11-30") && message.contains("claude-sonnet-5-5"));
    assert_eq!(told("claude-sonnet-4-6", "2026-11-20", "2026-12-20"), None);
    assert_eq!(told("claude-mythos-preview", "2026-11-20", "2026-12-20").unwrap().0, "model.retired");
}
