// 256 bit: 16 trials x 6 units in 12 of 16 registers. Compiled without fused multiply-add.
#define DALEA_TABLE kernels_avx2
#define DALEA_VECTOR_BYTES 32
#define DALEA_PANEL_ROWS 6
#define DALEA_TRIAL_VECTORS 2
#define DALEA_GRADIENT_ROWS 3
#define DALEA_GRADIENT_COLS 3
#define DALEA_GRADIENT_ENTRIES 6
#define DALEA_GRADIENT_VECTORS 2
#include "numerics/kernels-inl.h"
