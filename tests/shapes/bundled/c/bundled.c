#include "bundled.h"
#include "bundled_made.h"

static int sum = 0;

int bundled_add(int number) {
    sum += number;
    return sum + BUNDLED_MADE - 5;
}
