// SPDX-License-Identifier: Apache-2.0
//
// Same header for code that names the platform directory only.
#include "deeploy/platform.h"
