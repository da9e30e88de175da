#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "bits/cell.hpp"
#include "stage/parts/per_endpoint.hpp"
#include "stage/parts/rates.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// Who keeps failing is not picked for a while, longer each time (Envoy, outlier_detection.proto; gRPC A50). Failures in
// a row count at once; at the end of each interval success rates are compared, and shares of failures looked at. The
// first interval begins with the first task that ends; where nothing ends and nobody is out, no time is kept.
// Who comes back is on trial, as in Finagle's failure accrual: who fails fast looks idle, and would be given all there
// is again. One success ends it, and one failure is enough to be ejected anew.
// A task that was turned away says nothing of health: it is not counted. Picks that do not even begin where they went,
// while as many arrive elsewhere, count as failures in a row: nobody tells of their ends.
class OutlierEjection {
 public:
  static constexpr std::string_view name = "outlier_ejection";
  struct Settings : StageSettings {
    Whole consecutive{5, 0, 1'000'000};  // failures in a row; 0: not looked at
    Real interval_s{10, 0.001, 1e6};
    Real base_s{30, 0.001, 1e6};  // ejected for this times the number of ejections, which falls with each interval
    Real max_s{300, 0.001, 1e6};  // but for no longer than this, or base_s if that is more
    Real max_share{0.1, 0, 1};    // of all, looked at before one is ejected; one may always be
    Real success_rate_stdev_factor{1.9, 0, 1000};  // 0: not looked at
    Whole success_rate_endpoints{5, 1, 1'000'000};
    Whole success_rate_requests{100, 1, 1'000'000'000};
    Real failure_share{0.85, 0, 1};  // 1: not looked at
    Whole failure_share_endpoints{5, 1, 1'000'000};
    Whole failure_share_requests{50, 1, 1'000'000'000};
    Whole trial{1, 0, 1'000'000};  // tasks at once after the return; 0: no trial, as Envoy and gRPC have it
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("consecutive", consecutive);
      visit("interval_s", interval_s);
      visit("base_s", base_s);
      visit("max_s", max_s);
      visit("max_share", max_share);
      visit("success_rate_stdev_factor", success_rate_stdev_factor);
      visit("success_rate_endpoints", success_rate_endpoints);
      visit("success_rate_requests", success_rate_requests);
      visit("failure_share", failure_share);
      visit("failure_share_endpoints", failure_share_endpoints);
      visit("failure_share_requests", failure_share_requests);
      visit("trial", trial);
    }
  };

  explicit OutlierEjection(const Settings& settings) : settings_(settings) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    for (auto* member : members) {
      const Kept& state = kept_(*member);
      if (state.out()) {
        member->ejected_by = name;
        member->ejected_why = state.why;
        member->ejected_until = state.until;
      } else if (state.on_trial) {
        member->trial = settings_.trial;
      }
    }
  }

  template <class Model>
  bool ended(Endpoint<Model>& endpoint, const Endings&, double) {
    return !running_.get() || failing(endpoint) || endpoint.outcomes.watched();
  }

  template <class Model>
  bool review(Members<Model> members, double now) {
    most_ = settings_.max_share * static_cast<double>(members.size());
    out_ = 0;
    bool changed = false;
    for (auto* member : members) {
      changed |= let_back(*member, now);
      out_ += kept_(*member).out();
    }
    std::uint64_t arrived = 0;
    for (const auto* member : members) arrived += member->outcomes.arrived();
    for (auto* member : members) {
      changed |= try_out(*member, now);
      if (failing(*member)) changed |= eject(*member, "failures in a row", now);
      if (swallows(*member, arrived)) changed |= eject(*member, "its picks do not arrive", now);
    }
    if (now >= interval_until_) changed |= end_interval(members, now);
    if (!running_.get()) begin_interval(members, now);
    return changed;
  }

  template <class Model>
  double next_deadline(Members<Model> members) {
    double soonest = interval_until_;
    for (const auto* member : members) soonest = std::min(soonest, kept_(*member).until);
    return soonest;
  }

 private:
  struct Kept {
    double until = kNever;    // ejected, where there is an end to it,
    double since = kNever;    // and since then
    std::uint32_t times = 0;  // ejected so often, less the intervals in which it was not
    std::string_view why;
    bool on_trial = false;
    Rate before;                       // what had ended when the interval began,
    Rate judged;                       // and when its trial did
    std::uint64_t arrived = 0;         // of its picks when the row of those that did not began,
    std::uint64_t arrived_in_all = 0;  // and of all picks

    bool out() const { return until < kNever; }
  };

  template <class Model>
  static Rate total(const Endpoint<Model>& endpoint) {
    return {endpoint.outcomes.ended(), endpoint.outcomes.failed()};
  }
  static Rate since(const Rate& before, const Rate& now) {
    return {now.ended - before.ended, now.failed - before.failed};
  }

  template <class Model>
  bool failing(const Endpoint<Model>& endpoint) const {
    return settings_.consecutive != 0 && endpoint.outcomes.failed_in_a_row() >= settings_.consecutive;
  }

  template <class Model>
  bool swallows(const Endpoint<Model>& endpoint, std::uint64_t arrived_in_all) {
    Kept& state = kept_(endpoint);
    if (std::exchange(state.arrived, endpoint.outcomes.arrived()) != endpoint.outcomes.arrived()) {
      state.arrived_in_all = arrived_in_all;
    }
    return settings_.consecutive != 0 && endpoint.outcomes.missing_in_a_row() >= settings_.consecutive &&
           arrived_in_all >= state.arrived_in_all + settings_.consecutive;
  }

  template <class Model>
  bool let_back(Endpoint<Model>& endpoint, double now) {
    Kept& state = kept_(endpoint);
    // What fails with a connection that broke tells nothing of the process that answers again.
    const bool begun_anew = state.out() && endpoint.back_at >= state.since;
    if (now < state.until && !begun_anew) return false;
    state.until = kNever;
    endpoint.outcomes.watch(state.on_trial = settings_.trial != 0);
    state.judged = total(endpoint);
    endpoint.outcomes.end_row();
    return true;
  }

  template <class Model>
  bool try_out(Endpoint<Model>& endpoint, double now) {
    Kept& state = kept_(endpoint);
    const Rate seen = since(state.judged, total(endpoint));
    if (!state.on_trial || (seen.ended == 0 && endpoint.outcomes.missing_in_a_row() == 0)) return false;
    if (seen.failed == seen.ended) return eject(endpoint, "failed on trial", now);
    endpoint.outcomes.watch(state.on_trial = false);
    return true;
  }

  template <class Model>
  bool eject(Endpoint<Model>& endpoint, std::string_view why, double now) {
    Kept& state = kept_(endpoint);
    endpoint.outcomes.end_row();
    state.judged = total(endpoint);
    if (state.out() || (out_ > 0 && out_ >= most_)) return false;
    ++out_;
    endpoint.outcomes.watch(state.on_trial = false);
    state.why = why;
    state.since = now;
    const double most_s = std::max<double>(settings_.base_s, settings_.max_s);
    state.until = now + std::min<double>(settings_.base_s * ++state.times, most_s);
    return true;
  }

  template <class Model>
  void begin_interval(Members<Model> members, double now) {
    const bool wanted = std::any_of(members.begin(), members.end(), [this](const auto* member) {
      const Kept& state = kept_(*member);
      return state.times > 0 || since(state.before, total(*member)).ended > 0;
    });
    running_.set(wanted);
    interval_until_ = wanted ? now + settings_.interval_s : kNever;
  }

  template <class Model>
  bool end_interval(Members<Model> members, double now) {
    std::vector<Rate> rates;  // as Envoy has it, of those alone that are not ejected
    for (const auto* member : members) {
      Kept& state = kept_(*member);
      rates.push_back(state.out() ? Rate{} : since(state.before, total(*member)));
      state.before = total(*member);
    }
    const bool changed = judge(members, rates, now);
    for (const auto* member : members) {
      Kept& state = kept_(*member);
      if (!state.out() && !state.on_trial && state.times > 0) --state.times;
    }
    begin_interval(members, now);
    return changed;
  }

  // Ejects whom an interval has shown to be sick.
  template <class Model>
  bool judge(Members<Model> members, std::span<const Rate> rates, double now) {
    const Enough for_rates{settings_.success_rate_endpoints, settings_.success_rate_requests};
    const Enough for_shares{settings_.failure_share_endpoints, settings_.failure_share_requests};
    const double deviations = settings_.success_rate_stdev_factor;
    const double least = deviations > 0 ? least_success(rates, for_rates, deviations) : -kNever;
    const double most = for_shares.of(rates) ? double{settings_.failure_share} : 1;
    bool changed = false;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      if (for_rates.at(rates[i]) && rates[i].success() < least) {
        changed |= eject(*members[i], "success rate", now);
      } else if (for_shares.at(rates[i]) && 1 - rates[i].success() > most) {
        changed |= eject(*members[i], "failure share", now);
      }
    }
    return changed;
  }

  const Settings settings_;
  PerEndpoint<Kept> kept_;
  SharedCell<bool> running_{false};  // an interval is; `ended` asks
  double interval_until_ = kNever;
  double most_ = 0;  // may be ejected,
  double out_ = 0;   // and are
};

}  // namespace lbsuite
