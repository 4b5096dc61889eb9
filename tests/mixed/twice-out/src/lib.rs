//! A plugin that is loaded.

app_api::plugin!("twice-out");
