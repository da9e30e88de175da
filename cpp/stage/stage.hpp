#pragma once
// stage: what keeps a fleet alive when things go wrong. One file a stage, and stages.hpp, THE LIST: the order in which
// they act. What would make one too long, or several are made of, lives in parts/. The engine alone asks them; each but
// `stale` is off unless its spec is given, and what it then goes by are its source's defaults.
//
// A stage is a class with a `name`, a struct of `Settings`, and of these what it needs:
//   void arrange(Members<Model>, double now)     says of each endpoint whether it may be picked: sets `ejected_by` (and
//                                                why and until when), `standby_by`, `trial`, `relieved` or `revived`,
//                                                clear before the first stage; and how much: `level`, `part`, `warmth`,
//                                                `pull`, which are 0, 1, 1, 1. Before each view, so on every change of
//                                                who is there or how they stand
//   bool ended(Endpoint<Model>&, const Endings&, double now)
//                                                tasks ended; true: who may be picked may change by it, so `review`
//   bool review(Members<Model>, double now)      time has passed, or `ended` asked for it; true: `arrange` anew
//   double next_deadline(Members<Model>) const   when `review` has something to do next; kNever if nothing is due
//   std::optional<NotReady> admit(const Request&, double now)
//                                                a pick is asked for; an answer refuses it, and it counts nowhere
//   void withdraw(const Request&, double now)    what was admitted found nobody after all: it counts nowhere either
//   void counted(std::int32_t tasks)             so many more tasks are in flight, or fewer, by anything but a pick
//   double until(std::uint64_t sequence, double now) const
//                                                when a stream that began with this pick should be picked anew
//   double stale_at(double now, double interval_s) const
//                                                when one that reports now is stale; of the stage `stale` alone
//   double slot_share(const Request&)            what share of an endpoint's slots requests like this one, the big, may
//                                                hold together; 1: it is none of them. Another is ready only where there
//                                                is room for one more
//   void picked(const Request&)                  the request has got a slot
//   static constexpr bool fixed_views = true     what it sets needs a roster whose views stay as they are
//   static constexpr bool levels = true          it sets `level`
// `ended`, `admit`, `withdraw`, `counted`, `until`, `slot_share` and `picked` come from any thread; everything else is
// under the engine's writer lock. A pick pays for none of it but `admit`, `until` and the last two, and for levels and
// shares of who is less than warm while there are such.

#include <span>

#include "bits/fields.hpp"
#include "policy/news.hpp"
#include "policy/request.hpp"
#include "roster/endpoint.hpp"

namespace lbsuite {

// The parent of all settings of stages.
struct StageSettings {
  template <class Visitor>
  void fields(Visitor&&) {}
};

// All endpoints, in the roster's order.
template <class Model>
using Members = std::span<Endpoint<Model>* const>;

}  // namespace lbsuite
