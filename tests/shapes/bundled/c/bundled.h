#pragma once

int bundled_add(int number);
