const char *rust_name(void);

const char *c_name(void) { return "one"; }
const char *c_name_of_rust(void) { return rust_name(); }
