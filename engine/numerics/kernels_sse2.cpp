// 128 bit: 8 trials x 4 units in 8 of 16 registers.
#define DALEA_TABLE kernels_sse2
#define DALEA_VECTOR_BYTES 16
#define DALEA_PANEL_ROWS 4
#define DALEA_TRIAL_VECTORS 2
#define DALEA_GRADIENT_ROWS 3
#define DALEA_GRADIENT_COLS 3
#define DALEA_GRADIENT_ENTRIES 4
#define DALEA_GRADIENT_VECTORS 2
#include "numerics/kernels-inl.h"
