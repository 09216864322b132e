// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/cli.h"

int main(int argc, char** argv) { return manygate::cli::Main(argc, argv); }
