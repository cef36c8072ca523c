use std::sync::Mutex;

use super::*;
use crate::chat::BlockStart;

fn policy() -> RetryPolicy {
    RetryPolicy { max_retries: 3, base_delay: Duration::from_secs(1), rate_limit_fallback: Duration::ZERO }
}

fn error(category: Category) -> Error {
    Error::new(category, "it failed")
}

#[test]
fn what_passes_is_retried_and_nothing_else() {
    for (category, retried) in [
        (Category::RateLimit, true),
        (Category::Overloaded, true),
        (Category::Server, true),
        (Category::Timeout, true),
        (Category::Unreachable, true),
        (Category::StreamBroken, true),
        (Category::Conflict, true),
        (Category::Billing, false),
        (Category::Auth, false),
        (Category::Permission, false),
        (Category::BadRequest, false),
        (Category::ContextTooLong, false),
        (Category::ModelNotFound, false),
    ] {
        assert_eq!(policy().wait(&error(category), 0, 0.0).is_some(), retried, "{category:?}");
    }
}

#[test]
fn the_provider_has_the_last_word() {
    let said = |should_retry, category| Error { should_retry: Some(should_retry), ..error(category) };
    assert_eq!(policy().wait(&said(false, Category::Overloaded), 0, 0.0), None);
    assert!(policy().wait(&said(true, Category::BadRequest), 0, 0.0).is_some());
    assert_eq!(policy().wait(&said(true, Category::Billing), 0, 0.0), None, "except about money");
    let asked = Error { retry_after: Some(Duration::from_secs(90)), ..error(Category::RateLimit) };
    assert_eq!(policy().wait(&asked, 0, 1.0), Some(Duration::from_secs(90)));
}

#[test]
fn waits_double_up_to_a_limit_and_are_shortened_by_chance() {
    let waits = |policy: RetryPolicy, random| -> Vec<f64> {
        (0..=policy.max_retries)
            .filter_map(|retry| policy.wait(&error(Category::Server), retry, random))
            .map(|wait| wait.as_secs_f64())
            .collect()
    };
    assert_eq!(waits(policy(), 0.0), [1.0, 2.0, 4.0]);
    assert_eq!(waits(policy(), 1.0), [0.75, 1.5, 3.0]);
    let patient = RetryPolicy { max_retries: 10, base_delay: Duration::from_secs(5), ..policy() };
    assert_eq!(waits(patient, 0.0), [5.0, 10.0, 20.0, 40.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0]);
    assert_eq!(waits(RetryPolicy { max_retries: 0, ..policy() }, 0.0), [] as [f64; 0]);
    let fallback = RetryPolicy { rate_limit_fallback: Duration::from_secs(60), ..policy() };
    assert_eq!(fallback.wait(&error(Category::RateLimit), 0, 0.5), Some(Duration::from_secs(60)));
    assert_eq!(fallback.wait(&error(Category::Server), 0, 0.0), Some(Duration::from_secs(1)));
}

/// Plays the answers one after another, and remembers what was asked of each sending.
async fn play(answers: Vec<Vec<Item>>) -> (Vec<Item>, Vec<Attempt>) {
    let answers = Mutex::new(answers.into_iter());
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = attempts.clone();
    let begin: Begin = Box::new(move |attempt| {
        seen.lock().unwrap().push(attempt);
        stream::iter(answers.lock().unwrap().next().unwrap_or_default()).boxed()
    });
    let items = with_retries("test".into(), "model", policy(), None, begin).collect().await;
    let attempts = attempts.lock().unwrap().clone();
    (items, attempts)
}

fn started() -> CompletionEvent {
    CompletionEvent::Started { message_id: "m".into(), model: "x".into() }
}

fn text() -> CompletionEvent {
    CompletionEvent::BlockStarted { index: 0, block: BlockStart::Text { text: String::new() } }
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_is_sent_again_while_nothing_was_shown() {
    let broken = || Err(error(Category::StreamBroken));
    let good = vec![Ok(started()), Ok(text()), Ok(CompletionEvent::Completed)];
    let (items, attempts) = play(vec![vec![broken()], vec![Ok(started()), broken()], good]).await;
    assert_eq!(attempts.len(), 3);
    let waits: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Ok(CompletionEvent::Waiting { reason: WaitReason::Retry, attempt, error: Some(error), .. }) => {
                Some((*attempt, error.code.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(waits, [(1, "provider.stream_broken"), (2, "provider.stream_broken")]);
    assert_eq!(items.last(), Some(&Ok(CompletionEvent::Completed)));
}

#[tokio::test(start_paused = true)]
async fn what_was_shown_is_never_begun_again() {
    let (items, attempts) = play(vec![vec![Ok(started()), Ok(text()), Err(error(Category::Overloaded))]]).await;
    assert_eq!((attempts.len(), items.len()), (1, 3));
    assert_eq!(items[2].as_ref().unwrap_err().category, Category::Overloaded);
}

#[tokio::test(start_paused = true)]
async fn a_storm_ends_with_the_error() {
    let storm = (0..9).map(|_| vec![Err(error(Category::Overloaded))]).collect();
    let (items, attempts) = play(storm).await;
    assert_eq!(attempts.len(), 4, "the first and three retries");
    assert!(items.last().unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn refused_thinking_is_dropped_once_and_told() {
    let mismatch = || vec![Err(error(Category::ThinkingMismatch))];
    let (items, attempts) = play(vec![mismatch(), vec![Ok(text())]]).await;
    assert_eq!(attempts.iter().map(|attempt| attempt.drop_thinking).collect::<Vec<_>>(), [false, true]);
    assert!(matches!(&items[0], Ok(CompletionEvent::Notice { code, .. }) if code == "thinking.dropped"));
    let (items, attempts) = play(vec![mismatch(), mismatch(), vec![Ok(text())]]).await;
    assert_eq!(attempts.len(), 2);
    assert!(items.last().unwrap().is_err());
}
