#include "bundled.h"
#include "bundled_made.h"

int own_add(void) {
    return bundled_add(BUNDLED_MADE);
}
