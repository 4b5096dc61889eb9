/* Calls a function from several threads at once, all of which are made here. */

#include <pthread.h>

enum { MOST = 16 };

typedef void (*callback)(void *data, unsigned thread, unsigned call);

struct caller {
    pthread_t id;
    callback f;
    void *data;
    unsigned thread;
    unsigned calls;
};

static void *run(void *argument)
{
    struct caller *caller = argument;
    for (unsigned call = 0; call < caller->calls; call++)
        caller->f(caller->data, caller->thread, call);
    return 0;
}

int call_from_threads(unsigned threads, unsigned calls, callback f, void *data)
{
    struct caller callers[MOST];
    int failed = threads > MOST;
    unsigned started = 0;
    while (!failed && started < threads) {
        struct caller *caller = &callers[started];
        *caller = (struct caller){.f = f, .data = data, .thread = started, .calls = calls};
        failed = pthread_create(&caller->id, 0, run, caller);
        started += !failed;
    }
    for (unsigned thread = 0; thread < started; thread++)
        failed |= pthread_join(callers[thread].id, 0);
    return failed;
}
