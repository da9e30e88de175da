#pragma once
// What a policy does while it picks, noted down: its candidates, which tell whom it looked at and what it weighed. Policies
// are compiled for these too, so a pick that nobody watches pays nothing for it.
// For one pick; whoever makes one holds the engine's writer lock, so that who is there is what the view shows. Allocates.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/candidates.hpp"
#include "engine/events.hpp"
#include "engine/explanation.hpp"
#include "stage/size_guard.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

template <class Model>
class Witness {
 public:
  // How everyone stands before anyone is asked, and whom the request excludes.
  Witness(Explanation&& told, Members<Model> members, const Ranking<Model>& ranking, const Request& request)
      : told_(std::move(told)) {
    for (const Endpoint<Model>* member : members) {
      rows_.resize(std::max<std::size_t>(rows_.size(), member->index + 1));
      rows_[member->index] = static_cast<std::uint32_t>(told_.endpoints.size());
      Considered& one = told_.endpoints.emplace_back(found(*member, told_.now, ranking));
      const auto excluded = std::find(request.exclude.begin(), request.exclude.end(), one.address);
      if (one.out_by.empty() && excluded != request.exclude.end()) one.out_by = kByRequest;
    }
  }

  // What there is to tell, once. found: the answer's address, or why there is none.
  Explanation tell(const Answer& answer, const std::string& found) {
    const auto* picked = std::get_if<Pick>(&answer);
    (picked == nullptr ? told_.refused : told_.picked) = found;
    if (picked != nullptr) told_.sequence = picked->sequence;
    return std::move(told_);
  }

  // A look begins, at one level, or again where what was chosen was gone: nobody there has been looked at.
  void begin(const Candidates<Model>& candidates) {
    told_.view = candidates.version();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      Considered& one = row(candidates, i);
      one.looked_at = false;
      one.weighed.reset();
      if (one.out_by == kByShare) one.out_by.clear();  // where nobody else is ready, it is asked again without
      if (one.out_by.empty() && candidates.holds(i)) one.out_by = kByShare;
      if (one.out_by.empty() && candidates.crowded(i)) one.out_by = SizeGuard::name;
    }
  }

  // All that are ready were held to their shares, and the policy is not asked.
  void held(const Candidates<Model>& candidates, const Shares<Model>& shares) {
    begin(candidates);
    told_.goes_by = "most owed of its share, as nobody else was ready";
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (!candidates.ready(i)) continue;
      looked(candidates, i, true);
      weighed(candidates, i, shares.owed(i));
    }
  }

  void looked(const Candidates<Model>& candidates, std::uint32_t i, bool ready) {
    Considered& one = row(candidates, i);
    one.looked_at = ready;
    if (ready) {
      one.out_by.clear();  // other threads may have freed a slot since, or taken it
    } else if (one.out_by.empty()) {
      one.out_by = kStates[static_cast<std::size_t>(State::full)];
    }
  }
  // One that is not ready has a figure that tells nothing.
  void weighed(const Candidates<Model>& candidates, std::uint32_t i, double figure) {
    Considered& one = row(candidates, i);
    if (one.looked_at && std::isfinite(figure)) one.weighed = figure;
  }

 private:
  Considered& row(const Candidates<Model>& candidates, std::uint32_t i) {
    return told_.endpoints[rows_[candidates.place(i).index]];
  }

  static Considered found(const Endpoint<Model>& endpoint, double now, const Ranking<Model>& ranking) {
    const State state = endpoint.state();
    const auto& load = endpoint.load;
    Considered one{.address = endpoint.address, .state = state};
    one.out_by = out_by(endpoint, state);
    one.score = load.score(now, ranking);
    one.tasks = load.tasks();
    one.limit = load.limit();
    one.weight = load.weight();
    one.level = endpoint.level;
    if (endpoint.reported_at > -kNever) one.report_age_s = now - endpoint.reported_at;
    return one;
  }

  static std::string out_by(const Endpoint<Model>& endpoint, State state) {
    if (state == State::ready) return {};
    if (state == State::ejected) return std::string(endpoint.lost ? kByLoss : endpoint.ejected_by);
    if (state == State::standby) return std::string(endpoint.standby_by);
    return std::string(kStates[static_cast<std::size_t>(state)]);
  }

  Explanation told_;
  std::vector<std::uint32_t> rows_;  // by index
};

// The candidates of a pick that has a witness.
template <class Model>
class Witnessed : public Candidates<Model> {
  using All = Candidates<Model>;

 public:
  Witnessed(const All& all, Witness<Model>& witness) : All(all), witness_(witness) {}

  bool ready(std::uint32_t i) const {
    const bool ready = All::ready(i);
    witness_.looked(*this, i, ready);
    return ready;
  }
  void weighed(std::uint32_t i, double figure) const { witness_.weighed(*this, i, figure); }

  std::optional<std::uint32_t> least(Rng& rng) const {
    const auto least = All::least(rng);
    for (std::uint32_t i = 0; least && i < this->size(); ++i) {
      if (ready(i)) weighed(i, this->score(i));
    }
    return least;
  }

  void look_at_all() const {
    for (std::uint32_t i = 0; i < this->size(); ++i) ready(i);
  }

 private:
  Witness<Model>& witness_;
};

}  // namespace lbsuite
