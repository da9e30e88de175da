#pragma once
// Every field of every record of the event log, once: what writes a line and what reads it both go by this list.
// `visit(name, value)` is called for each field, in the order in which a line has them.

#include <concepts>
#include <string_view>
#include <type_traits>

#include "engine/events.hpp"

namespace lbsuite {

template <class Value, class What>
concept Is = std::same_as<std::remove_const_t<Value>, What>;

// What the log calls an event.
template <class What>
constexpr std::string_view kEventName = {};
template <>
inline constexpr std::string_view kEventName<Joined> = "join";
template <>
inline constexpr std::string_view kEventName<Left> = "leave";
template <>
inline constexpr std::string_view kEventName<Reported> = "report";
template <>
inline constexpr std::string_view kEventName<Drained> = "drain";
template <>
inline constexpr std::string_view kEventName<Lost> = "lost";
template <>
inline constexpr std::string_view kEventName<Reached> = "reached";
template <>
inline constexpr std::string_view kEventName<Pickers> = "pickers";
template <>
inline constexpr std::string_view kEventName<Probed> = "probed";
template <>
inline constexpr std::string_view kEventName<Asked> = "pick";
template <>
inline constexpr std::string_view kEventName<Ended> = "done";
template <>
inline constexpr std::string_view kEventName<Expired> = "expire";
template <>
inline constexpr std::string_view kEventName<Switched> = "switch";
template <>
inline constexpr std::string_view kEventName<Shadowed> = "shadow";
template <>
inline constexpr std::string_view kEventName<Answered> = "answered";
template <>
inline constexpr std::string_view kEventName<Cancelled> = "cancel";

template <Is<Joined> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("address", event.address);
  visit("weight", event.weight);
  visit("limit", event.limit);
  visit("zone", event.zone);
  visit("order", event.order);
  visit("lease_s", event.lease_s);
  visit("tier", event.tier);
}

template <class Event, class Visit>
  requires Is<Event, Left> || Is<Event, Lost> || Is<Event, Reached>
void fields(Event& event, Visit&& visit) {
  visit("address", event.address);
}

template <Is<Reported> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("address", event.address);
  auto& report = event.report;
  visit("tasks", report.tasks);
  visit("limit", report.limit);
  visit("memory", report.memory);
  visit("cpu", report.cpu);
  visit("available", report.available);
  visit("draining", report.draining);
  visit("interval_s", report.interval_s);
  visit("prompt_s", report.prompt_s);
  visit("begun", report.begun);
  visit("finished", report.finished);
  visit("busy_s", report.busy_s);
  visit("task_s", report.task_s);
  visit("failed", report.failed);
  visit("own_finished", report.own_finished);
  visit("own_failed", report.own_failed);
  visit("own_refused", report.own_refused);
  visit("own_latency_s", report.own_latency_s);
  visit("utilization", report.utilization);
}

template <Is<Drained> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("address", event.address);
  visit("undo", event.undo);
}

template <Is<Pickers> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("count", event.count);
}

template <Is<Probed> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("address", event.address);
  visit("tasks", event.tasks);
  visit("latency_s", event.latency_s);
}

template <Is<Asked> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("policy", event.policy);
  visit("key", event.key);
  visit("cost", event.cost);
  visit("exclude", event.exclude);
  visit("deadline", event.deadline);
  visit("priority", event.priority);
  visit("attempt", event.attempt);
  visit("counted", event.counted);
  visit("sequence", event.sequence);
  visit("answer", event.answer);
  visit("ticket", event.ticket);
}

template <Is<Ended> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("sequence", event.sequence);
  visit("latency_s", event.outcome.latency_s);
  visit("failed", event.outcome.failed);
  visit("refused", event.outcome.refused);
}

template <Is<Expired> Event, class Visit>
void fields(Event&, Visit&&) {}

template <class Event, class Visit>
  requires Is<Event, Switched> || Is<Event, Shadowed>
void fields(Event& event, Visit&& visit) {
  visit("policy", event.policy);
}

template <Is<Answered> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("ticket", event.ticket);
  visit("sequence", event.sequence);
  visit("answer", event.answer);
}

template <Is<Cancelled> Event, class Visit>
void fields(Event& event, Visit&& visit) {
  visit("ticket", event.ticket);
}

}  // namespace lbsuite
