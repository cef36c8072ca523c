//! A key that the user gave to this program.

use super::key;
use crate::auth::found::{Look, Outcome, Surroundings};
use crate::auth::host::Binding;
use crate::protocol::AuthStep;

pub fn look(at: &Surroundings<'_>) -> Vec<Look> {
    if let Some(file) = at.store.file() {
        at.watch(file);
    }
    let place = format!("a stored key in {}", at.store.place());
    let read = at.store.get(&at.options.key.provider);
    let found = read.map(|stored| stored.map(|stored| key(at, stored.key, place.clone(), Binding::Host(stored.host))));
    vec![Look::new(AuthStep::StoredKey, place, Outcome::of(found))]
}
