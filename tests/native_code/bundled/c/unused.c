/* An object of which the API library uses nothing, so that a linker would leave it out. */

static int last = 0;

int unused_next(void) {
    return last += 7;
}
