// SPDX-License-Identifier: Apache-2.0
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/random.h"
#include "manygate/data/csv_writer.h"
#include "manygate/data/generate.h"

namespace manygate {
namespace {

// One random stream per purpose, so that adding a column changes no other.
enum Stream : uint64_t {
  kUserStream = 0x46756E01,
  kUserTasteStream,
  kItemStream,
  kItemTasteStream,
  kCategoryStream,
  kBrandStream,
  kCityStream,
  kPickStream,
  kOutcomeStream,
  kAmountStream,
};

constexpr int kCategories = 24;
constexpr int kBrands = 120;
constexpr int kCities = 60;
constexpr int kTastes = 4;
constexpr std::array<const char*, 4> kDevices = {"phone", "desktop", "tablet", "tv"};
constexpr std::array<double, 4> kDeviceShares = {0.58, 0.30, 0.09, 0.03};
constexpr std::array<double, 4> kDeviceEffects = {0.15, -0.30, 0.30, -0.80};

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Draws 0 .. n-1 with weights 1 / (k + 2)^exponent.
class Zipf {
 public:
  Zipf(int n, double exponent) : cumulative_(static_cast<size_t>(n)) {
    double sum = 0;
    for (size_t k = 0; k < cumulative_.size(); ++k)
      cumulative_[k] = sum += std::pow(static_cast<double>(k) + 2, -exponent);
    for (double& value : cumulative_) value /= sum;
  }
  int Draw(double u) const {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), u);
    return static_cast<int>(std::min<std::ptrdiff_t>(found - cumulative_.begin(), std::ssize(cumulative_) - 1));
  }

 private:
  std::vector<double> cumulative_;
};

struct User {
  double click_effect, purchase_effect;
  int city, age, past_clicks, past_purchases;
  std::array<float, kTastes> taste;
};

struct Item {
  double quality, price;
  int category, brand;
  std::array<float, kTastes> taste;
};

struct World {
  std::vector<User> users;
  std::vector<Item> items;
  std::array<double, kCategories> category_effect, category_age_slope, category_log_price;
  std::array<double, kBrands> brand_effect;
  std::array<double, kCities> city_effect;
};

std::array<float, kTastes> DrawTaste(uint64_t seed, uint64_t stream, uint64_t number) {
  const Philox random(seed, stream);
  const std::array<double, 2> a = NormalPair(random.Block(2 * number)), b = NormalPair(random.Block(2 * number + 1));
  return {static_cast<float>(a[0]), static_cast<float>(a[1]), static_cast<float>(b[0]), static_cast<float>(b[1])};
}

void DrawGroups(uint64_t seed, World* world) {
  for (uint64_t i = 0; i < kCategories; ++i) {
    const Philox random(seed, kCategoryStream);
    const std::array<double, 2> a = NormalPair(random.Block(2 * i)), b = NormalPair(random.Block(2 * i + 1));
    world->category_effect[i] = 0.70 * a[0];
    world->category_age_slope[i] = 0.50 * a[1];
    world->category_log_price[i] = 3.2 + 0.7 * b[0];
  }
  for (uint64_t i = 0; i < kBrands; ++i)
    world->brand_effect[i] = 0.40 * NormalPair(Philox(seed, kBrandStream).Block(i))[0];
  for (uint64_t i = 0; i < kCities; ++i)
    world->city_effect[i] = 0.10 * NormalPair(Philox(seed, kCityStream).Block(i))[0];
}

World DrawWorld(const FunnelOptions& options) {
  World world;
  DrawGroups(options.seed, &world);
  const Zipf cities(kCities, 1.0), categories(kCategories, 0.8), brands(kBrands, 1.0);
  world.users.resize(static_cast<size_t>(std::clamp<int64_t>(options.rows / 20, 50, 200000)));
  for (uint64_t i = 0; i < world.users.size(); ++i) {
    User& user = world.users[i];
    const Philox random(options.seed, kUserStream);
    const std::array<double, 2> effects = NormalPair(random.Block(4 * i)),
                                history = NormalPair(random.Block(4 * i + 1));
    const std::array<uint32_t, 4> bits = random.Block(4 * i + 2);
    user.click_effect = 0.60 * effects[0];
    user.purchase_effect = 0.60 * (0.6 * effects[0] + 0.8 * effects[1]);
    user.city = cities.Draw(UnitDouble(bits[0], bits[1]));
    user.age = static_cast<int>(std::clamp(16 + 58 * std::pow(UnitDouble(bits[2], bits[3]), 1.4), 16.0, 74.0));
    // What the user did before tells, with noise, what the user will do.
    user.past_clicks = static_cast<int>(std::exp(1.6 + 1.3 * user.click_effect + 0.25 * history[0]));
    user.past_purchases = static_cast<int>(std::exp(0.8 + 1.3 * user.purchase_effect + 0.3 * history[1]));
    user.taste = DrawTaste(options.seed, kUserTasteStream, i);
  }
  world.items.resize(static_cast<size_t>(std::clamp<int64_t>(options.rows / 50, 40, 50000)));
  for (uint64_t i = 0; i < world.items.size(); ++i) {
    Item& item = world.items[i];
    const Philox random(options.seed, kItemStream);
    const std::array<double, 2> normal = NormalPair(random.Block(2 * i));
    const std::array<uint32_t, 4> bits = random.Block(2 * i + 1);
    item.category = categories.Draw(UnitDouble(bits[0], bits[1]));
    item.brand = brands.Draw(UnitDouble(bits[2], bits[3]));
    item.quality = 0.35 * normal[0];
    item.price =
        std::round(100 * std::exp(world.category_log_price[static_cast<size_t>(item.category)] + 0.5 * normal[1])) /
        100;
    item.taste = DrawTaste(options.seed, kItemTasteStream, i);
  }
  return world;
}

struct Impression {
  size_t user = 0, item = 0, device = 0;
  int hour = 0, days_since_visit = 0;
  bool age_known = true, visit_known = true;
  double click_logit = 0, purchase_logit = 0;
  bool click = false, purchase = false;
  double amount = 0;
};

void SetLogits(const World& world, Impression* row) {
  const User& user = world.users[row->user];
  const Item& item = world.items[row->item];
  const auto category = static_cast<size_t>(item.category);
  const double match = std::inner_product(user.taste.begin(), user.taste.end(), item.taste.begin(), 0.0);
  const double evening = std::cos((row->hour - 20) * 6.283185307179586 / 24);
  const double shared = 0.9 * user.click_effect + item.quality + world.category_effect[category] + 0.10 * match;
  row->click_logit = -3.20 + 1.1 * shared + world.brand_effect[static_cast<size_t>(item.brand)] + 0.35 * evening +
                     kDeviceEffects[row->device] + world.city_effect[static_cast<size_t>(user.city)] +
                     world.category_age_slope[category] * (user.age - 40) / 15.0 -
                     0.015 * std::min(row->days_since_visit, 40);
  const double cheapness = world.category_log_price[category] - std::log(item.price);
  row->purchase_logit =
      -2.6 + 0.5 * shared + user.purchase_effect + 0.7 * cheapness + (row->device == 1 ? 0.35 : 0.0) - 0.20 * evening;
}

Impression DrawImpression(const World& world, const Zipf& users, const Zipf& items, uint64_t seed, uint64_t number) {
  const std::array<uint32_t, 4> pick = Philox(seed, kPickStream).Block(2 * number);
  const std::array<uint32_t, 4> more = Philox(seed, kPickStream).Block(2 * number + 1);
  const std::array<uint32_t, 4> outcome = Philox(seed, kOutcomeStream).Block(number);
  Impression row;
  row.user = static_cast<size_t>(users.Draw(UnitDouble(pick[0], pick[1])));
  row.item = static_cast<size_t>(items.Draw(UnitDouble(pick[2], pick[3])));
  for (double left = UnitFloat(more[0]); row.device < 3 && left >= kDeviceShares[row.device]; ++row.device) {
    left -= kDeviceShares[row.device];
  }
  // The sum of two uniform hours, shifted: most traffic around 19, least around 7.
  row.hour = (static_cast<int>(12 * (UnitFloat(more[1]) + UnitFloat(more[2]))) + 7) % 24;
  row.days_since_visit = static_cast<int>(-9 * std::log(1 - static_cast<double>(UnitFloat(more[3]))));
  row.visit_known = UnitFloat(outcome[0] << 16) >= 0.15f;
  row.age_known = UnitFloat(outcome[0] & 0xFFFF0000u) >= 0.08f;
  SetLogits(world, &row);
  row.click = UnitDouble(outcome[1], outcome[2]) < Logistic(row.click_logit);
  row.purchase = row.click && UnitFloat(outcome[3]) < Logistic(row.purchase_logit);
  if (row.purchase) {
    const double normal = NormalPair(Philox(seed, kAmountStream).Block(number))[0];
    row.amount = std::round(100 * world.items[row.item].price * std::exp(0.15 + 0.4 * normal)) / 100;
  }
  return row;
}

void AppendRow(const World& world, const Impression& row, std::string* out) {
  const User& user = world.users[row.user];
  const Item& item = world.items[row.item];
  const auto to = std::back_inserter(*out);
  fmt::format_to(to, FMT_COMPILE("u{},i{},c{},b{},city{},{},{},{:.2f},"), row.user, row.item, item.category, item.brand,
                 user.city, kDevices[row.device], row.hour, item.price);
  if (row.age_known) fmt::format_to(to, FMT_COMPILE("{}"), user.age);
  fmt::format_to(to, FMT_COMPILE(",{},{},"), user.past_clicks, user.past_purchases);
  if (row.visit_known) fmt::format_to(to, FMT_COMPILE("{}"), row.days_since_visit);
  fmt::format_to(to, FMT_COMPILE(",{:d},{:d},"), row.click, row.purchase);
  if (row.purchase) fmt::format_to(to, FMT_COMPILE("{:.2f}"), row.amount);
  out->push_back('\n');
}

// Area under the ROC curve of continuous scores: the share of pairs in the right order.
double RankAuc(std::vector<std::pair<float, bool>>* scored) {
  std::sort(scored->begin(), scored->end());
  double positives = 0, rank_sum = 0;
  for (size_t i = 0; i < scored->size(); ++i) {
    if (!(*scored)[i].second) continue;
    positives += 1;
    rank_sum += static_cast<double>(i + 1);
  }
  const double negatives = static_cast<double>(scored->size()) - positives;
  if (positives == 0 || negatives == 0) return 0.5;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace

StatusOr<FunnelSummary> GenerateFunnel(const FunnelOptions& options, const std::string& path) {
  if (options.rows < 1) return InvalidInput(fmt::format("rows: found {}, expected at least 1", options.rows));
  const World world = DrawWorld(options);
  const Zipf users(static_cast<int>(world.users.size()), 0.6), items(static_cast<int>(world.items.size()), 0.9);
  static const std::string kColumns[] = {
      "user_id",     "item_id",        "category",         "brand", "city",     "device", "hour", "price", "age",
      "past_clicks", "past_purchases", "days_since_visit", "click", "purchase", "amount"};
  CsvWriter out;
  MG_RETURN_IF_ERROR(out.Open(path, kColumns));
  FunnelSummary summary;
  summary.rows = options.rows;
  std::vector<std::pair<float, bool>> clicks, purchases;
  clicks.reserve(static_cast<size_t>(options.rows));
  std::string text;
  for (int64_t number = 0; number < options.rows; ++number) {
    const Impression row = DrawImpression(world, users, items, options.seed, static_cast<uint64_t>(number));
    AppendRow(world, row, &text);
    summary.clicks += row.click;
    summary.purchases += row.purchase;
    summary.amount_sum += row.amount;
    clicks.emplace_back(static_cast<float>(row.click_logit), row.click);
    if (row.click) purchases.emplace_back(static_cast<float>(row.purchase_logit), row.purchase);
    if (text.size() >= (64 << 10) || number + 1 == options.rows) {
      MG_RETURN_IF_ERROR(out.RawRows(text));
      text.clear();
    }
  }
  MG_RETURN_IF_ERROR(out.Close());
  summary.best_click_auc = RankAuc(&clicks);
  summary.best_purchase_auc = RankAuc(&purchases);
  return summary;
}

}  // namespace manygate
