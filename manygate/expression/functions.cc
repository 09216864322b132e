// SPDX-License-Identifier: Apache-2.0
#include "manygate/expression/functions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace manygate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kEarthRadiusKilometres = 6371.0088;  // mean radius, IUGG
constexpr double kRadiansPerDegree = std::numbers::pi / 180;

double Truth(bool value) { return value ? 1.0 : 0.0; }

// A number's integer part as 64 bits; false for NaN and beyond the 64 bits.
bool ToInteger(double value, int64_t* integer) {
  if (!(value > -0x1p63 && value < 0x1p63)) return false;
  *integer = static_cast<int64_t>(value);
  return true;
}

double Add(const double* v, size_t) { return v[0] + v[1]; }
double Subtract(const double* v, size_t) { return v[0] - v[1]; }
double Multiply(const double* v, size_t) { return v[0] * v[1]; }
double Divide(const double* v, size_t) { return v[0] / v[1]; }
double Less(const double* v, size_t) { return Truth(v[0] < v[1]); }
double LessEqual(const double* v, size_t) { return Truth(v[0] <= v[1]); }
double Greater(const double* v, size_t) { return Truth(v[0] > v[1]); }
double GreaterEqual(const double* v, size_t) { return Truth(v[0] >= v[1]); }
double Equal(const double* v, size_t) { return Truth(v[0] == v[1]); }
double NotEqual(const double* v, size_t) { return Truth(v[0] != v[1]); }

double Or(const double* v, size_t) {
  return std::isnan(v[0]) || std::isnan(v[1]) ? kNan : Truth(v[0] != 0 || v[1] != 0);
}
double And(const double* v, size_t) {
  return std::isnan(v[0]) || std::isnan(v[1]) ? kNan : Truth(v[0] != 0 && v[1] != 0);
}
double BitOr(const double* v, size_t) {
  int64_t a = 0, b = 0;
  return ToInteger(v[0], &a) && ToInteger(v[1], &b) ? static_cast<double>(a | b) : kNan;
}
double BitAnd(const double* v, size_t) {
  int64_t a = 0, b = 0;
  return ToInteger(v[0], &a) && ToInteger(v[1], &b) ? static_cast<double>(a & b) : kNan;
}

// One of <cmath>.
template <double (*function)(double)>
double Call(const double* v, size_t) {
  return function(v[0]);
}

double Sign(const double* v, size_t) { return std::isnan(v[0]) ? kNan : Truth(v[0] > 0) - Truth(v[0] < 0); }
// Halves to the even neighbour, whatever rounding mode the thread is in.
double RoundToEven(const double* v, size_t) {
  const double rounded = std::round(v[0]);
  return std::abs(v[0] - std::trunc(v[0])) == 0.5 ? 2 * std::round(v[0] / 2) : rounded;
}
// Halves away from zero at that decimal place. A number too large to have digits there stays.
double RoundToPlace(const double* v, size_t) {
  const double x = v[0], places = std::trunc(v[1]);
  if (std::isnan(x) || std::isnan(places)) return kNan;
  if (std::isinf(x)) return x;
  const double scale = std::pow(10.0, std::abs(places));
  if (places < 0) return std::isinf(scale) ? 0.0 : std::round(x / scale) * scale;
  const double scaled = x * scale;
  return std::isfinite(scaled) ? std::round(scaled) / scale : x;
}
double Sigmoid(const double* v, size_t) { return 1 / (1 + std::exp(-v[0])); }

// Both take longitude and latitude of two points, in degrees.
double SphereDistance(const double* v, size_t) {
  const double latitude = v[1] * kRadiansPerDegree, other = v[3] * kRadiansPerDegree;
  const double cosine = std::sin(latitude) * std::sin(other) +
                        std::cos(latitude) * std::cos(other) * std::cos((v[2] - v[0]) * kRadiansPerDegree);
  return kEarthRadiusKilometres * std::acos(std::clamp(cosine, -1.0, 1.0));
}
double Haversine(const double* v, size_t) {
  const double latitude = v[1] * kRadiansPerDegree, other = v[3] * kRadiansPerDegree;
  const double down = std::sin((other - latitude) / 2);
  const double across = std::sin((v[2] - v[0]) * kRadiansPerDegree / 2);
  const double squared = down * down + std::cos(latitude) * std::cos(other) * across * across;
  return 2 * kEarthRadiusKilometres * std::asin(std::sqrt(std::clamp(squared, 0.0, 1.0)));
}

double Sum(const double* v, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += v[i];
  return sum;
}
double Average(const double* v, size_t count) { return Sum(v, count) / static_cast<double>(count); }
// NaN where one of the numbers is NaN, unlike std::fmin and std::fmax.
double Least(const double* v, size_t count) {
  double least = v[0];
  for (size_t i = 1; i < count; ++i) least = std::isnan(least) || v[i] >= least ? least : v[i];
  return least;
}
double Greatest(const double* v, size_t count) {
  double greatest = v[0];
  for (size_t i = 1; i < count; ++i) greatest = std::isnan(greatest) || v[i] <= greatest ? greatest : v[i];
  return greatest;
}

// A scalar function of several numbers, applied to the elements of a vector.
template <ScalarFunction function>
double Reduce(const Numbers* vector, double) {
  return function(vector->data, vector->size);
}
double Length(const Numbers* vector, double) { return static_cast<double>(vector->size); }
double Product(const Numbers* vector, double) {
  double product = 1;
  for (size_t i = 0; i < vector->size; ++i) product *= vector->data[i];
  return product;
}
double SquaredNorm(const Numbers* vector, double) {
  double sum = 0;
  for (size_t i = 0; i < vector->size; ++i) sum += vector->data[i] * vector->data[i];
  return sum;
}
double Norm(const Numbers* vector, double fill) { return std::sqrt(SquaredNorm(vector, fill)); }
double Dot(const Numbers* vectors, double fill) {
  double sum = 0;
  for (size_t i = 0; i < std::max(vectors[0].size, vectors[1].size); ++i) {
    sum += vectors[0].At(i, fill) * vectors[1].At(i, fill);
  }
  return sum;
}
double Distance(const Numbers* vectors, double fill) {
  double sum = 0;
  for (size_t i = 0; i < std::max(vectors[0].size, vectors[1].size); ++i) {
    const double difference = vectors[0].At(i, fill) - vectors[1].At(i, fill);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

// The sum of squared differences from the mean over n - less.
template <int less>
double Variance(const Numbers* vector, double) {
  const double mean = Average(vector->data, vector->size);
  double sum = 0;
  for (size_t i = 0; i < vector->size; ++i) sum += (vector->data[i] - mean) * (vector->data[i] - mean);
  return sum / (static_cast<double>(vector->size) - less);
}
template <int less>
double Deviation(const Numbers* vector, double fill) {
  return std::sqrt(Variance<less>(vector, fill));
}

constexpr Function kFunctions[] = {
    {"sin", "x", 1, Call<std::sin>, nullptr},
    {"cos", "x", 1, Call<std::cos>, nullptr},
    {"tan", "x", 1, Call<std::tan>, nullptr},
    {"asin", "x", 1, Call<std::asin>, nullptr},
    {"acos", "x", 1, Call<std::acos>, nullptr},
    {"atan", "x", 1, Call<std::atan>, nullptr},
    {"sinh", "x", 1, Call<std::sinh>, nullptr},
    {"cosh", "x", 1, Call<std::cosh>, nullptr},
    {"tanh", "x", 1, Call<std::tanh>, nullptr},
    {"asinh", "x", 1, Call<std::asinh>, nullptr},
    {"acosh", "x", 1, Call<std::acosh>, nullptr},
    {"atanh", "x", 1, Call<std::atanh>, nullptr},
    {"log2", "x", 1, Call<std::log2>, nullptr},
    {"log10", "x", 1, Call<std::log10>, nullptr},
    {"log", "x", 1, Call<std::log>, nullptr},
    {"ln", "x", 1, Call<std::log>, nullptr},
    {"exp", "x", 1, Call<std::exp>, nullptr},
    {"sqrt", "x", 1, Call<std::sqrt>, nullptr},
    {"sign", "x", 1, Sign, nullptr},
    {"abs", "x", 1, Call<std::abs>, nullptr},
    {"rint", "x", 1, RoundToEven, nullptr},
    {"floor", "x", 1, Call<std::floor>, nullptr},
    {"ceil", "x", 1, Call<std::ceil>, nullptr},
    {"trunc", "x", 1, Call<std::trunc>, nullptr},
    {"round", "x", 1, Call<std::round>, nullptr},
    {"roundp", "x, places", 2, RoundToPlace, nullptr},
    {"sigmoid", "x", 1, Sigmoid, nullptr},
    {"sphere_dist", "lng1, lat1, lng2, lat2", 4, SphereDistance, nullptr},
    {"haversine", "lng1, lat1, lng2, lat2", 4, Haversine, nullptr},
    {"min", "x, ...", kAnyNumber, Least, nullptr},
    {"max", "x, ...", kAnyNumber, Greatest, nullptr},
    {"sum", "x, ...", kAnyNumber, Sum, nullptr},
    {"avg", "x, ...", kAnyNumber, Average, nullptr},
    {"len", "vector", 1, nullptr, Length},
    {"l2_norm", "vector", 1, nullptr, Norm},
    {"squared_norm", "vector", 1, nullptr, SquaredNorm},
    {"dot", "vector, vector", 2, nullptr, Dot},
    {"euclid_dist", "vector, vector", 2, nullptr, Distance},
    {"std_dev", "vector", 1, nullptr, Deviation<0>},
    {"pop_std_dev", "vector", 1, nullptr, Deviation<1>},
    {"variance", "vector", 1, nullptr, Variance<0>},
    {"pop_variance", "vector", 1, nullptr, Variance<1>},
    {"reduce_min", "vector", 1, nullptr, Reduce<Least>},
    {"reduce_max", "vector", 1, nullptr, Reduce<Greatest>},
    {"reduce_sum", "vector", 1, nullptr, Reduce<Sum>},
    {"reduce_mean", "vector", 1, nullptr, Reduce<Average>},
    {"reduce_prod", "vector", 1, nullptr, Product},
};

constexpr BinaryOperator kBinaryOperators[] = {
    {"||", 1, Or},           {"&&", 2, And},      {"|", 3, BitOr},    {"&", 4, BitAnd},  {"<=", 5, LessEqual},
    {">=", 5, GreaterEqual}, {"!=", 5, NotEqual}, {"==", 5, Equal},   {">", 5, Greater}, {"<", 5, Less},
    {"+", 6, Add},           {"-", 6, Subtract},  {"*", 7, Multiply}, {"/", 7, Divide},
};

}  // namespace

std::span<const Function> Functions() { return kFunctions; }
std::span<const BinaryOperator> BinaryOperators() { return kBinaryOperators; }

double Power(const double* values, size_t) { return std::pow(values[0], values[1]); }
double Negate(const double* values, size_t) { return -values[0]; }
double Not(const double* values, size_t) { return std::isnan(values[0]) ? kNan : Truth(values[0] == 0); }
double Choose(const double* values, size_t) {
  return std::isnan(values[0]) ? kNan : values[0] != 0 ? values[1] : values[2];
}

}  // namespace manygate
