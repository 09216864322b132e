// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/diagram_layout.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "manygate/base/check.h"
#include "manygate/report/axis.h"

namespace manygate {
namespace {

constexpr double kLayerGap = 44, kBoxGap = 14, kPassHeight = 6, kMargin = 4;
constexpr int kSweeps = 8;

// A box, or the place where an arrow passes a layer.
struct Item {
  int box = -1;  // -1: an arrow passes
  int layer = 0;
  double height = 0, y = 0;  // y: of the middle
  std::vector<int> before = {}, after = {};
};

double HeightOf(const DiagramBox& box) {
  return kDiagramLine * static_cast<double>(1 + box.details.size()) + 2 * kDiagramPadding - 4;
}

double WidthOf(const DiagramBox& box) {
  double width = TextWidth(box.title, kDiagramFont) * 1.06;  // bold
  for (const std::string& line : box.details) width = std::max(width, TextWidth(line, kDiagramFont));
  return std::min(width, kDiagramMostText) + 2 * kDiagramPadding;
}

// The heights nearest to `wanted`, in order, at least gap[i] between i and i + 1: y - offset must not fall, so the
// least squares are means of pools.
std::vector<double> Spread(const std::vector<double>& wanted, const std::vector<double>& gaps) {
  struct Pool {
    double sum;
    int count;
    double mean() const { return sum / count; }
  };
  std::vector<Pool> pools;
  double offset = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (i > 0) offset += gaps[i - 1];
    pools.push_back({wanted[i] - offset, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
      pools[pools.size() - 2].sum += pools.back().sum;
      pools[pools.size() - 2].count += pools.back().count;
      pools.pop_back();
    }
  }
  std::vector<double> places;
  offset = 0;
  for (const Pool& pool : pools) {
    for (int i = 0; i < pool.count; ++i) {
      if (!places.empty()) offset += gaps[places.size() - 1];
      places.push_back(pool.mean() + offset);
    }
  }
  return places;
}

class Arranger {
 public:
  explicit Arranger(const Diagram& diagram) : diagram_(diagram) {}

  DiagramLayout Arrange() {
    FindLayers();
    AddPasses();
    for (int sweep = 0; sweep < kSweeps; ++sweep) SortLayers(sweep % 2 == 0);
    PlaceDown();
    for (int sweep = 0; sweep < kSweeps; ++sweep) Align(sweep % 2 == 0);
    return Finish();
  }

 private:
  void FindLayers() {
    const auto& boxes = diagram_.boxes;
    std::vector<int> first_reader(boxes.size(), -1);  // its layer; -1: none
    int last = 0;
    for (size_t b = 0; b < boxes.size(); ++b) {
      Item item{.box = static_cast<int>(b), .height = HeightOf(boxes[b])};
      for (const int input : boxes[b].inputs) {
        MG_CHECK(input >= 0 && input < static_cast<int>(b), "box {} reads box {}", b, input);
        item.layer = std::max(item.layer, items_[input].layer + 1);
      }
      last = std::max(last, item.layer);
      items_.push_back(std::move(item));
    }
    for (size_t b = 0; b < boxes.size(); ++b)
      for (const int input : boxes[b].inputs)
        if (first_reader[input] < 0 || items_[b].layer < first_reader[input]) first_reader[input] = items_[b].layer;
    for (size_t b = 0; b < boxes.size(); ++b) {
      if (first_reader[b] < 0)
        items_[b].layer = last;
      else if (boxes[b].inputs.empty())
        items_[b].layer = first_reader[b] - 1;
    }
    layers_.resize(last + 1);
    for (size_t b = 0; b < boxes.size(); ++b) layers_[items_[b].layer].push_back(static_cast<int>(b));
  }

  // The arrows of one box share their places in the layers they pass.
  void AddPasses() {
    for (size_t to = 0; to < diagram_.boxes.size(); ++to) {
      std::vector<int> inputs = diagram_.boxes[to].inputs;
      std::sort(inputs.begin(), inputs.end());
      inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
      for (const int from : inputs) {
        int at = from;
        std::vector<int> way = {from};
        for (int layer = items_[from].layer + 1; layer < items_[to].layer; ++layer) {
          auto [pass, is_new] = passes_.try_emplace({from, layer}, static_cast<int>(items_.size()));
          if (is_new) {
            items_.push_back({.layer = layer, .height = kPassHeight});
            layers_[layer].push_back(pass->second);
            Connect(at, pass->second);
          }
          at = pass->second;
          way.push_back(at);
        }
        Connect(at, static_cast<int>(to));
        way.push_back(static_cast<int>(to));
        ways_.push_back(std::move(way));
      }
    }
  }

  void Connect(int from, int to) {
    items_[from].after.push_back(to);
    items_[to].before.push_back(from);
  }

  // By the mean place of the neighbours in the layer before (or after); items without any keep their place.
  void SortLayers(bool forward) {
    const int count = static_cast<int>(layers_.size());
    for (int step = 1; step < count; ++step) {
      std::vector<int>& layer = layers_[forward ? step : count - 1 - step];
      const std::vector<int>& other = layers_[forward ? step - 1 : count - step];
      std::map<int, double> place, wanted;
      for (size_t i = 0; i < other.size(); ++i)
        place[other[i]] = static_cast<double>(i) / static_cast<double>(other.size());
      for (size_t i = 0; i < layer.size(); ++i) {
        const std::vector<int>& neighbours = forward ? items_[layer[i]].before : items_[layer[i]].after;
        double sum = 0;
        for (const int neighbour : neighbours) sum += place[neighbour];
        wanted[layer[i]] = neighbours.empty() ? static_cast<double>(i) / static_cast<double>(layer.size())
                                              : sum / static_cast<double>(neighbours.size());
      }
      std::stable_sort(layer.begin(), layer.end(), [&](int a, int b) { return wanted[a] < wanted[b] - 1e-12; });
    }
  }

  static double Gap(const Item& a, const Item& b) { return (a.height + b.height) / 2 + kBoxGap; }

  void PlaceDown() {
    for (std::vector<int>& layer : layers_) {
      double y = 0;
      for (size_t i = 0; i < layer.size(); ++i) {
        if (i > 0) y += Gap(items_[layer[i - 1]], items_[layer[i]]);
        items_[layer[i]].y = y;
      }
      for (const int item : layer) items_[item].y -= y / 2;
    }
  }

  void Align(bool forward) {
    const int count = static_cast<int>(layers_.size());
    for (int step = 0; step < count; ++step) {
      const std::vector<int>& layer = layers_[forward ? step : count - 1 - step];
      std::vector<double> wanted, gaps;
      for (size_t i = 0; i < layer.size(); ++i) {
        const Item& item = items_[layer[i]];
        double sum = 0;
        for (const int neighbour : item.before) sum += items_[neighbour].y;
        for (const int neighbour : item.after) sum += items_[neighbour].y;
        const size_t neighbours = item.before.size() + item.after.size();
        wanted.push_back(neighbours == 0 ? item.y : sum / static_cast<double>(neighbours));
        if (i > 0) gaps.push_back(Gap(items_[layer[i - 1]], item));
      }
      const std::vector<double> places = Spread(wanted, gaps);
      for (size_t i = 0; i < layer.size(); ++i) items_[layer[i]].y = places[i];
    }
  }

  DiagramLayout Finish() {
    DiagramLayout layout;
    double top = 1e300, bottom = -1e300, x = kMargin;
    for (const Item& item : items_) {
      top = std::min(top, item.y - item.height / 2);
      bottom = std::max(bottom, item.y + item.height / 2);
    }
    std::vector<double> lefts, widths;
    for (const std::vector<int>& layer : layers_) {
      double width = 0;
      for (const int item : layer)
        if (items_[item].box >= 0) width = std::max(width, WidthOf(diagram_.boxes[items_[item].box]));
      lefts.push_back(x);
      widths.push_back(width);
      x += width + kLayerGap;
    }
    layout.boxes.resize(diagram_.boxes.size());
    for (const Item& item : items_) {
      if (item.box < 0) continue;
      layout.boxes[item.box] = {item.layer, lefts[item.layer], item.y - item.height / 2 - top + kMargin,
                                widths[item.layer], item.height};
    }
    for (const std::vector<int>& way : ways_) {
      DiagramEdge edge{way.front(), way.back(), {}};
      for (size_t i = 0; i < way.size(); ++i) {
        const Item& item = items_[way[i]];
        const double y = item.y - top + kMargin, left = lefts[item.layer];
        if (i > 0) edge.points.emplace_back(left, y);
        if (i + 1 < way.size()) edge.points.emplace_back(left + widths[item.layer], y);
      }
      layout.edges.push_back(std::move(edge));
    }
    layout.width = x - kLayerGap + kMargin;
    layout.height = bottom - top + 2 * kMargin;
    return layout;
  }

  const Diagram& diagram_;
  std::vector<Item> items_;                    // boxes first
  std::vector<std::vector<int>> layers_;       // items from top to bottom
  std::map<std::pair<int, int>, int> passes_;  // (box, layer) -> item
  std::vector<std::vector<int>> ways_;         // items of each arrow
};

}  // namespace

DiagramLayout LayOut(const Diagram& diagram) {
  return diagram.boxes.empty() ? DiagramLayout() : Arranger(diagram).Arrange();
}

}  // namespace manygate
