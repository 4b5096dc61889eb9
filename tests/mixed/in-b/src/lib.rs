//! A plugin that is linked in.

app_api::plugin!("in-b");
