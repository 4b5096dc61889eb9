//! A plugin that is loaded.

app_api::plugin!("out-b");
