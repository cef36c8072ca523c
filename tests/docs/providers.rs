//! `docs/providers.md` has the providers that the program has, and its configurations make them.

use std::collections::BTreeSet;
use std::sync::Arc;

use souffleur::config::{Environment, Layer, Settings, Source, check_file};
use souffleur::models::ModelName;
use souffleur::provider::openai::Profile;
use souffleur::provider::{Registry, providers};

use crate::markdown::{code, rows, sections};
use crate::read;

const DOCUMENT: &str = "docs/providers.md";

/// A credential for each provider that needs one.
fn environment() -> Environment {
    Environment::from([
        ("ANTHROPIC_API_KEY", "k"),
        ("OPENAI_API_KEY", "k"),
        ("AZURE_OPENAI_API_KEY", "k"),
        ("OPENROUTER_API_KEY", "k"),
        ("GROQ_API_KEY", "k"),
        ("MISTRAL_API_KEY", "k"),
        ("DEEPSEEK_API_KEY", "k"),
        ("GOOGLE_API_KEY", "k"),
        ("XAI_API_KEY", "k"),
        ("TOGETHER_API_KEY", "k"),
        ("FIREWORKS_API_KEY", "k"),
        ("CEREBRAS_API_KEY", "k"),
        ("MOONSHOT_API_KEY", "k"),
        ("PERPLEXITY_API_KEY", "k"),
        ("NVIDIA_API_KEY", "k"),
        ("ACME_KEY", "k"),
        ("OCI_GENAI_API_KEY", "k"),
    ])
}

/// The user's files of the document, with their lines.
fn files() -> Vec<(usize, Layer)> {
    let document = read(DOCUMENT);
    let fences = sections(&document).into_iter().flat_map(|section| section.fences);
    let layer = |fence: crate::markdown::Fence| {
        assert_eq!(fence.tag, "toml user", "{DOCUMENT}:{}", fence.line);
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), &fence.text).unwrap();
        let (layer, problems) = check_file(file.path(), Source::User, &environment()).unwrap();
        assert_eq!(problems, [], "{DOCUMENT}:{}", fence.line);
        (fence.line, layer)
    };
    fences.map(layer).collect()
}

#[test]
fn each_configuration_makes_its_provider_and_each_provider_has_one() {
    let mut made = BTreeSet::new();
    for (line, layer) in files() {
        let settings = Settings::resolve(&[(Source::User, &layer)]);
        let model = settings.model.value.as_deref().unwrap_or_else(|| panic!("{DOCUMENT}:{line}: no model"));
        let model: ModelName = model.parse().unwrap();
        let registry = Registry::new(Arc::new(environment()));
        let provider = registry.provider(&model, &settings).and_then(|provider| provider.ready());
        assert_eq!(provider, Ok(()), "{DOCUMENT}:{line}");
        for name in settings.providers.keys().filter(|name| *name != "anthropic") {
            assert_eq!(name, model.provider(), "{DOCUMENT}:{line}: settings of another provider");
        }
        made.insert(model.provider().to_owned());
    }
    let missing: Vec<_> = providers(&Settings::default()).into_iter().filter(|name| !made.contains(name)).collect();
    assert_eq!(missing, Vec::<String>::new(), "providers without a configuration");
}

#[test]
fn the_table_says_what_the_profiles_say() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let section = sections.iter().find(|section| section.heading == "Servers that speak OpenAI's API").unwrap();
    let rows = rows(&section.lines);
    // These have sections of their own.
    let elsewhere = ["openai", "oci", "openai-compatible"];
    let wanted: Vec<_> = Profile::names().filter(|name| !elsewhere.contains(name)).collect();
    assert_eq!(rows.iter().map(|row| code(row[0])[0]).collect::<Vec<_>>(), wanted);
    for row in rows {
        let profile = Profile::builtin(code(row[0])[0]).unwrap();
        let address = profile.base_url.as_deref().unwrap_or("AZURE_OPENAI_ENDPOINT");
        assert_eq!((row[1], code(row[2])), (profile.display.as_str(), vec![address]));
        let keys: Vec<_> = profile.key_env.iter().map(String::as_str).collect();
        assert_eq!((code(row[3]), row[3].contains("optional")), (keys, profile.key_optional), "{}", profile.name);
    }
}

#[test]
fn the_order_of_default_models_is_the_programs() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let section = sections.iter().find(|section| section.heading == "Which model is used").unwrap();
    let named = |number: usize| {
        let prefix = format!("{number}. ");
        let line = section.lines.iter().find(|line| line.starts_with(&prefix)).unwrap();
        code(line).first().map(|&name| name.to_owned())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let default = |environment: Environment| {
        let registry = Registry::new(Arc::new(environment));
        runtime.block_on(registry.default_model(&Settings::default()))
    };
    let both = [("ANTHROPIC_API_KEY", "k"), ("OPENAI_API_KEY", "k")];
    assert_eq!(default(both.into()).unwrap().to_string(), named(1).unwrap());
    assert_eq!(default([both[1]].into()).unwrap().to_string(), named(2).unwrap());
    let others = default([("GROQ_API_KEY", "k"), ("OCI_GENAI_API_KEY", "k")].into());
    assert_eq!(others.unwrap_err().code.as_str(), named(4).unwrap());
}
