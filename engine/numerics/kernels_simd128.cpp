// WebAssembly, 128 bit: at most 8 accumulators (10 spill).
#define DALEA_TABLE kernels_simd128
#define DALEA_VECTOR_BYTES 16
#define DALEA_PANEL_ROWS 4
#define DALEA_TRIAL_VECTORS 2
#define DALEA_GRADIENT_ROWS 4
#define DALEA_GRADIENT_COLS 2
#define DALEA_GRADIENT_ENTRIES 8
#define DALEA_GRADIENT_VECTORS 1
#include "numerics/kernels-inl.h"
