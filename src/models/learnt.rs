//! The catalog: the built-in table, and over it what was learnt from providers.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::catalog::{ModelInfo, Thinking, anthropic_ids, anthropic_model};
use super::lifecycle::Lifecycle;
use super::name::ModelName;
use super::remote::RemoteModel;

/// The provider whose models the built-in table has.
const ANTHROPIC: &str = "anthropic";
/// The simulated provider.
const SIM: &str = "sim";

/// What is known about models. It begins with the built-in table and learns from what providers say when they are
/// asked; asking is not its business. Readers get snapshots.
#[derive(Debug, Default)]
pub struct Catalog {
    learnt: RwLock<Arc<Learnt>>,
    /// What other providers said, in their order.
    others: RwLock<HashMap<String, Arc<[RemoteModel]>>>,
}

/// What Anthropic said about its models, merged over the table.
#[derive(Debug, Default)]
struct Learnt {
    models: HashMap<String, Arc<ModelInfo>>,
    /// All ids in the order of lists; empty before anything was learnt.
    order: Vec<String>,
}

static SIMULATED: LazyLock<Arc<ModelInfo>> = LazyLock::new(|| {
    Arc::new(ModelInfo {
        display_name: Some("Simulated answers".to_owned()),
        context: 200_000,
        max_output: 32_000,
        thinking: Thinking { kinds: Vec::new(), default: "on".to_owned() },
        effort: Vec::new(),
        default_effort: String::new(),
        structured_output: false,
        forced_tools: false,
        sampling: false,
        cache_minimum: 0,
        price: None,
        lifecycle: Lifecycle::default(),
    })
});

impl Catalog {
    /// What is known about a model; `None` for a provider whose models nothing is known about.
    pub fn model(&self, name: &ModelName) -> Option<Arc<ModelInfo>> {
        match name.provider() {
            ANTHROPIC => Some(self.anthropic(name.model())),
            SIM => Some(SIMULATED.clone()),
            _ => None,
        }
    }

    /// What is known about one of Anthropic's models: what Anthropic said about it, else what the table has, else what
    /// its generation has in common.
    pub fn anthropic(&self, id: &str) -> Arc<ModelInfo> {
        self.snapshot().models.get(id).cloned().unwrap_or_else(|| anthropic_model(id))
    }

    /// The models of a provider, in an order that stays: that of the table. A model that only the provider named stands
    /// before the one of the table that the provider named after it.
    pub fn list(&self, provider: &str) -> Vec<(String, Arc<ModelInfo>)> {
        match provider {
            ANTHROPIC => {
                let learnt = self.snapshot();
                let ids = if learnt.order.is_empty() { anthropic_ids() } else { &learnt.order };
                ids.iter().map(|id| (id.clone(), self.anthropic(id))).collect()
            }
            SIM => vec![("default".to_owned(), SIMULATED.clone())],
            _ => Vec::new(),
        }
    }

    /// What a provider that the built-in table has nothing of said about its models; nothing before it was asked.
    pub fn said(&self, provider: &str) -> Arc<[RemoteModel]> {
        self.others.read().unwrap_or_else(PoisonError::into_inner).get(provider).cloned().unwrap_or_default()
    }

    /// Learns what `provider` said about its models. It replaces what it said before.
    pub fn learn(&self, provider: &str, said: &[RemoteModel]) {
        if said.is_empty() || provider == SIM {
            return;
        }
        if provider != ANTHROPIC {
            self.others.write().unwrap_or_else(PoisonError::into_inner).insert(provider.to_owned(), said.into());
            return;
        }
        let mut models = HashMap::new();
        for remote in said {
            let alias = alias(&remote.id).filter(|alias| !said.iter().any(|other| other.id == *alias));
            for id in [Some(remote.id.as_str()), alias].into_iter().flatten() {
                models.insert(id.to_owned(), Arc::new(remote.over(&anthropic_model(id))));
            }
        }
        let learnt = Arc::new(Learnt { models, order: order(said) });
        *self.learnt.write().unwrap_or_else(PoisonError::into_inner) = learnt;
    }

    fn snapshot(&self) -> Arc<Learnt> {
        self.learnt.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The id without its date, if it has one and the table knows the rest: `claude-haiku-4-5` stands for
/// `claude-haiku-4-5-20251001`.
fn alias(id: &str) -> Option<&str> {
    let (alias, date) = id.rsplit_once('-')?;
    let dated = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    (dated && anthropic_ids().iter().any(|known| known == alias)).then_some(alias)
}

/// The table's ids, and among them those that only the provider named (it names the newest first).
fn order(said: &[RemoteModel]) -> Vec<String> {
    let mut order = anthropic_ids().to_vec();
    let is_known = |id: &String| anthropic_ids().contains(id);
    for (at, remote) in said.iter().enumerate() {
        if order.contains(&remote.id) {
            continue;
        }
        let next = said[at..].iter().find(|later| is_known(&later.id));
        let place = next.and_then(|next| order.iter().position(|id| *id == next.id)).unwrap_or(order.len());
        order.insert(place, remote.id.clone());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(id: &str, context: u32) -> RemoteModel {
        RemoteModel { id: id.into(), context: Some(context), ..RemoteModel::default() }
    }

    fn ids(catalog: &Catalog) -> Vec<String> {
        catalog.list(ANTHROPIC).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn before_anything_is_learnt_the_table_counts() {
        let catalog = Catalog::default();
        assert_eq!(ids(&catalog), anthropic_ids());
        assert_eq!(catalog.anthropic("claude-sonnet-5-5"), anthropic_model("claude-sonnet-5-5"));
        assert_eq!(catalog.list(SIM).len(), 1);
        assert!(catalog.list("acme").is_empty() && catalog.model(&"acme:x".parse().unwrap()).is_none());
    }

    #[test]
    fn what_is_learnt_counts_and_is_replaced_by_what_is_learnt_later() {
        let catalog = Catalog::default();
        let name: ModelName = "anthropic:claude-sonnet-5-5".parse().unwrap();
        catalog.learn(ANTHROPIC, &[said("claude-sonnet-5-5", 5)]);
        assert_eq!(catalog.model(&name).unwrap().context, 5);
        assert!(catalog.model(&name).unwrap().price.is_some());
        catalog.learn(ANTHROPIC, &[]);
        assert_eq!(catalog.model(&name).unwrap().context, 5, "nothing said is nothing learnt");
        catalog.learn(ANTHROPIC, &[said("claude-opus-5", 6)]);
        assert_eq!(catalog.model(&name).unwrap().context, 1_000_000);
        assert_eq!(catalog.anthropic("claude-opus-5").context, 6);
    }

    #[test]
    fn what_other_providers_say_is_kept_as_they_say_it() {
        let catalog = Catalog::default();
        assert!(catalog.said("acme").is_empty());
        catalog.learn("acme", &[said("b", 1), said("a", 2)]);
        assert_eq!(catalog.said("acme").iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert!(catalog.list("acme").is_empty() && catalog.said("other").is_empty());
    }

    #[test]
    fn new_models_stand_before_the_one_that_follows_them_and_all_others_stay() {
        let catalog = Catalog::default();
        let new =
            [said("claude-opus-6", 1), said("claude-opus-5-9", 1), said("claude-opus-5-5", 1), said("in-house", 1)];
        catalog.learn(ANTHROPIC, &new);
        let ids = ids(&catalog);
        let at = |id: &str| ids.iter().position(|known| known == id).unwrap();
        assert_eq!(
            (at("claude-opus-6") + 1, at("claude-opus-5-9") + 1),
            (at("claude-opus-5-9"), at("claude-opus-5-5"))
        );
        assert_eq!(at("in-house"), ids.len() - 1);
        let without: Vec<_> = ids.iter().filter(|id| anthropic_ids().contains(id)).cloned().collect();
        assert_eq!(without, anthropic_ids());
    }

    #[test]
    fn what_is_said_of_a_dated_id_holds_for_its_alias() {
        let catalog = Catalog::default();
        catalog.learn(ANTHROPIC, &[said("claude-haiku-4-5-20251001", 7), said("claude-opus-5-20260101", 8)]);
        assert_eq!(catalog.anthropic("claude-haiku-4-5").context, 7);
        catalog.learn(ANTHROPIC, &[said("claude-haiku-4-5-20251001", 7), said("claude-haiku-4-5", 9)]);
        assert_eq!(catalog.anthropic("claude-haiku-4-5").context, 9, "its own word comes first");
    }
}
