// Elementary functions that give the same bits on every platform: only + - * / and IEEE sqrt inside.
// Each states its worst error, tested against long double (tests/test_math.cpp).
// The float versions here are the scalar instances of the templates that the vector kernels use
// (numerics/math-inl.h), so a vector lane and a scalar call agree bit for bit.
#pragma once

namespace dalea {
constexpr double pi = 3.14159265358979323846;
}

namespace dalea::portable {

float exp(float x);       // 0 below about -103.97, +inf above 88.73
float log(float x);       // x > 0; -inf at 0, NaN below
float tanh(float x);      // saturates to exactly +-1; odd; NaN stays NaN
float sigmoid(float x);   // 1 / (1 + exp(-x))
float softplus(float x);  // log(1 + exp(x)), no overflow

double exp(double x);
double log(double x);
double sin(double x);  // |x| <= 1e6
double cos(double x);  // |x| <= 1e6
double tanh(double x);

}  // namespace dalea::portable
