static int count;

int inner_counts(void) { return ++count; }
