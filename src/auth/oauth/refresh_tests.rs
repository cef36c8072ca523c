use super::*;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::auth::testing::{Hand, time};

const NOW: u64 = 1_795_176_000;

/// Makes tokens `t1`, `t2`, … that live for `lifetime` seconds.
#[derive(Debug)]
struct Maker {
    hand: Hand,
    made: AtomicU64,
    lifetime: AtomicU64,
    fails: Mutex<Option<ErrorCode>>,
    can_renew: bool,
    kept: Mutex<Option<Token>>,
    revision: AtomicU64,
    gate: Option<Notify>,
    entered: Notify,
}

impl Maker {
    fn new(hand: &Hand, left: u64) -> Arc<Self> {
        Arc::new(Self::plain(hand, left))
    }

    fn plain(hand: &Hand, left: u64) -> Self {
        Self {
            hand: hand.clone(),
            made: AtomicU64::new(0),
            lifetime: AtomicU64::new(3600),
            fails: Mutex::default(),
            can_renew: true,
            kept: Mutex::new(Some(token("t0", Some(NOW + left)))),
            revision: AtomicU64::new(1),
            gate: None,
            entered: Notify::new(),
        }
    }

    fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    fn fail(&self, code: impl Into<Option<ErrorCode>>) {
        *self.fails.lock().unwrap() = code.into();
    }
}

fn token(access: &str, expires_at: Option<u64>) -> Token {
    Token { access: SecretString::from(access), refresh: None, expires_at: expires_at.map(time), lifetime: None }
}

impl Renewer for Maker {
    fn load(&self) -> Result<Option<Token>, UserError> {
        Ok(self.kept.lock().unwrap().clone())
    }

    fn stamp(&self) -> Option<Stamp> {
        Some(Stamp::of_test(self.revision.load(Ordering::SeqCst)))
    }

    fn can_renew(&self) -> bool {
        self.can_renew
    }

    fn renew<'a>(&'a self, _: Option<&'a Token>) -> BoxFuture<'a, Result<Token, UserError>> {
        Box::pin(async move {
            let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
            self.entered.notify_one();
            if let Some(gate) = &self.gate {
                gate.notified().await;
            }
            if let Some(code) = *self.fails.lock().unwrap() {
                return Err(UserError::new(code, "it failed"));
            }
            let lifetime = self.lifetime.load(Ordering::SeqCst);
            let expires_at = self.hand.clock().now() + Duration::from_secs(lifetime);
            let lifetime = Some(Duration::from_secs(lifetime));
            let new = Token { expires_at: Some(expires_at), lifetime, ..token(&format!("t{number}"), None) };
            *self.kept.lock().unwrap() = Some(new.clone());
            self.revision.fetch_add(1, Ordering::SeqCst);
            Ok(new)
        })
    }
}

fn renewing(maker: &Arc<Maker>) -> Renewing {
    Renewing::new(maker.clone(), maker.hand.clock())
}

async fn access(renewing: &Renewing) -> String {
    renewing.current().await.unwrap().token.access.expose_secret().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_is_left_decides_what_is_done() {
    for (left, fails, expected) in [
        (121, None, Ok("t0")),
        (120, None, Ok("t1")),
        (31, None, Ok("t1")),
        (120, Some(ErrorCode::AuthRefreshFailed), Ok("t0")),
        (31, Some(ErrorCode::AuthExpired), Ok("t0")),
        (30, None, Ok("t1")),
        (30, Some(ErrorCode::AuthRefreshFailed), Err(ErrorCode::AuthRefreshFailed)),
        (0, Some(ErrorCode::AuthExpired), Err(ErrorCode::AuthExpired)),
    ] {
        let maker = Maker::new(&Hand::at(NOW), left);
        maker.fail(fails);
        let current = renewing(&maker).current().await;
        let got = current.map(|held| held.token.access.expose_secret().to_owned()).map_err(|error| error.code);
        assert_eq!(got, expected.map(str::to_owned), "{left} s left, {fails:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_users_at_its_end_cause_one_renewal() {
    let hand = Hand::at(NOW);
    for fails in [None, Some(ErrorCode::AuthRefreshFailed)] {
        let maker = Arc::new(Maker { gate: Some(Notify::new()), ..Maker::plain(&hand, 10) });
        maker.fail(fails);
        let renewing = Arc::new(renewing(&maker));
        let users: Vec<_> = (0..50)
            .map(|_| {
                let renewing = renewing.clone();
                tokio::spawn(async move { renewing.current().await })
            })
            .collect();
        maker.entered.notified().await;
        maker.gate.as_ref().unwrap().notify_one();
        for user in users {
            assert_eq!(user.await.unwrap().map(|held| held.generation).is_err(), fails.is_some());
        }
        assert_eq!(maker.made(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_goes_on_when_who_asked_for_it_is_gone() {
    let maker = Arc::new(Maker { gate: Some(Notify::new()), ..Maker::plain(&Hand::at(NOW), 10) });
    let renewing = Arc::new(renewing(&maker));
    let user = tokio::spawn({
        let renewing = renewing.clone();
        async move { renewing.current().await.is_ok() }
    });
    maker.entered.notified().await;
    user.abort();
    assert!(user.await.unwrap_err().is_cancelled());
    maker.gate.as_ref().unwrap().notify_one();
    assert_eq!(access(&renewing).await, "t1");
    assert_eq!(maker.made(), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_and_are_told_meanwhile() {
    let maker = Maker::new(&Hand::at(NOW), 10);
    maker.fail(ErrorCode::AuthRefreshFailed);
    let renewing = renewing(&maker);
    for (made, wait) in [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60)] {
        assert_eq!(renewing.current().await.unwrap_err().code, ErrorCode::AuthRefreshFailed);
        tokio::time::advance(Duration::from_secs(wait - 1)).await;
        assert!(renewing.current().await.is_err());
        assert_eq!(maker.made(), made);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    maker.fail(None);
    assert_eq!(access(&renewing).await, "t7");
}

#[tokio::test(start_paused = true)]
async fn an_old_token_is_kept_while_new_ones_fail_and_is_tried_for_every_five_seconds() {
    let maker = Maker::new(&Hand::at(NOW), 100);
    maker.fail(ErrorCode::AuthRefreshFailed);
    let renewing = renewing(&maker);
    for _ in 0..10 {
        assert_eq!(access(&renewing).await, "t0");
    }
    assert_eq!(maker.made(), 1);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(access(&renewing).await, "t0");
    assert_eq!(maker.made(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_all_who_were_refused() {
    let maker = Maker::new(&Hand::at(NOW), 3600);
    let renewing = renewing(&maker);
    let first = renewing.current().await.unwrap().generation;
    for _ in 0..5 {
        assert!(renewing.refused(first).await.unwrap());
    }
    assert_eq!(maker.made(), 1);
    let second = renewing.current().await.unwrap();
    assert!(second.generation > first);
    maker.fail(ErrorCode::AuthExpired);
    assert_eq!(renewing.refused(second.generation).await.unwrap_err().code, ErrorCode::AuthExpired);
    assert_eq!(renewing.current().await.unwrap_err().code, ErrorCode::AuthExpired, "it is not used again");
}

#[tokio::test(start_paused = true)]
async fn what_is_put_in_its_place_is_taken_over() {
    let hand = Hand::at(NOW);
    let maker = Arc::new(Maker { can_renew: false, ..Maker::plain(&hand, 3600) });
    let renewing = renewing(&maker);
    let held = renewing.current().await.unwrap();
    assert!(!renewing.refused(held.generation).await.unwrap(), "there is no other");
    *maker.kept.lock().unwrap() = Some(token("other", Some(NOW + 60)));
    assert!(renewing.refused(held.generation).await.unwrap(), "there is, though nothing told of it");
    *maker.kept.lock().unwrap() = Some(token("third", Some(NOW + 60)));
    maker.revision.fetch_add(1, Ordering::SeqCst);
    assert_eq!(access(&renewing).await, "third");
    assert!(renewing.ready().is_ok());
    hand.forward(60);
    assert_eq!(renewing.ready().unwrap_err().code, ErrorCode::AuthExpired);
    assert_eq!(maker.made(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_for_a_short_time_is_used_and_not_renewed_at_each_request() {
    let maker = Maker::new(&Hand::at(NOW), 0);
    maker.lifetime.store(20, Ordering::SeqCst);
    let renewing = renewing(&maker);
    for _ in 0..10 {
        assert_eq!(access(&renewing).await, "t1");
    }
}

/// Lets the background task do all that it can do now.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Moves both clocks.
async fn pass(hand: &Hand, seconds: u64) {
    hand.forward(seconds);
    tokio::time::advance(Duration::from_secs(seconds)).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn the_background_task_renews_a_used_token_a_minute_before_its_end() {
    let hand = Hand::at(NOW);
    let maker = Maker::new(&hand, 200);
    let renewing = renewing(&maker);
    assert_eq!(maker.made(), 0, "nothing before the first use");
    assert_eq!(access(&renewing).await, "t0");
    settle().await;
    pass(&hand, 139).await;
    assert_eq!(maker.made(), 0);
    pass(&hand, 1).await;
    assert_eq!(maker.made(), 1);
    for _ in 0..20 {
        pass(&hand, 300).await;
    }
    assert_eq!(maker.made(), 1, "nobody used the new one");
    assert_eq!(access(&renewing).await, "t2");
}

#[tokio::test(start_paused = true)]
async fn the_background_task_ends_with_the_credential() {
    let maker = Maker::new(&Hand::at(NOW), 200);
    let renewing = renewing(&maker);
    renewing.current().await.unwrap();
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1);
    drop(renewing);
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    assert_eq!(Arc::strong_count(&maker), 1);
}
