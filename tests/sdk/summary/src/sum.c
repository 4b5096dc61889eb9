#include <stddef.h>
#include <stdint.h>

int32_t sum_of(const int32_t *numbers, size_t count) {
    int32_t sum = 0;
    for (size_t at = 0; at < count; at++) {
        sum += numbers[at];
    }
    return sum;
}
