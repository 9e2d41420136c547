// 512 bit: 16 trials x 16 units in 16 of 32 registers; with one vector of trials the multiplication itself reads and
// broadcasts the weight. Compiled without contraction into fused operations.
#define DALEA_TABLE kernels_avx512
#define DALEA_VECTOR_BYTES 64
#define DALEA_PANEL_ROWS 16
#define DALEA_TRIAL_VECTORS 1
#define DALEA_GRADIENT_ROWS 4
#define DALEA_GRADIENT_COLS 6
#define DALEA_GRADIENT_ENTRIES 8
#define DALEA_GRADIENT_VECTORS 1
#include "numerics/kernels-inl.h"
