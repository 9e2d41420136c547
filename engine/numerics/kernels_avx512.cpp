// 512 bit: 48 trials x 8 units in 24 of 32 registers. Compiled without contraction into fused operations.
#define DALEA_TABLE kernels_avx512
#define DALEA_VECTOR_BYTES 64
#define DALEA_PANEL_ROWS 8
#define DALEA_TRIAL_VECTORS 3
#define DALEA_GRADIENT_ROWS 4
#define DALEA_GRADIENT_COLS 6
#define DALEA_GRADIENT_ENTRIES 8
#include "numerics/kernels-inl.h"
