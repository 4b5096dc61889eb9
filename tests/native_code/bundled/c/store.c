/* State that would show if there were two of it. */

#define SHOWN __attribute__((visibility("default")))

/* Never named by the API library itself. */
SHOWN int store_shown = 100;

static int count = 0;
static _Thread_local int of_this_thread = 0;

/* Hidden; reached by inline and generic functions. */
int store_count(void) {
    return ++count;
}

int store_of_this_thread(void) {
    return ++of_this_thread;
}

/* Hidden; a plugin calls it by its name. */
int store_add(int number) {
    store_shown += number;
    return store_shown;
}

/* Calls what it is given. */
SHOWN int store_call(int (*function)(int), int number) {
    return function(number) + store_count();
}
