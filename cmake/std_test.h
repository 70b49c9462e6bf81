// Precompiled head of the test programs.
#pragma once
#include "std.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
