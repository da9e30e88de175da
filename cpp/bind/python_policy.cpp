#include "bind/python_policy.hpp"

#include <stdexcept>
#include <utility>

#include "bind/waiting.hpp"

namespace lbsuite::bind {

thread_local int AskingPython::depth_ = 0;

void AskingPython::refuse_inside() {
  if (depth_ > 0) throw std::runtime_error("a policy written in Python may not call an engine while it is asked");
}

PolicyView::PolicyView(const Candidates<Shared>& all) : during(&all) {
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (all.ready(i)) ready.push_back(i);
  }
}

const Candidates<Shared>& PolicyView::candidates() const {
  if (during == nullptr) throw std::runtime_error("a view is for one pick, and that is over");
  return *during;
}

PolicyRequest::PolicyRequest(const Request& request)
    : key(request.key),
      cost(request.cost),
      exclude(request.exclude.begin(), request.exclude.end()),
      deadline(request.deadline),
      priority(request.priority) {}

namespace {

std::string shown(const py::handle& value) {
  constexpr Py_ssize_t kMost = 80;  // characters, as half of one is no text
  const py::str text = py::repr(value);
  if (PyUnicode_GetLength(text.ptr()) <= kMost) return text.cast<std::string>();
  return py::reinterpret_steal<py::str>(PyUnicode_Substring(text.ptr(), 0, kMost)).cast<std::string>() + "...";
}

// A policy's answer as an index into its view.
std::uint32_t index_of(const py::object& answer, std::size_t size, const std::string& spec) {
  const std::string wanted = ", not an index below " + std::to_string(size) + " or None";
  if (!PyIndex_Check(answer.ptr()) || PyBool_Check(answer.ptr())) {
    throw std::invalid_argument(spec + " picked " + shown(answer) + wanted);
  }
  const Py_ssize_t index = PyNumber_AsSsize_t(answer.ptr(), nullptr);
  if (index == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  if (index < 0 || static_cast<std::size_t>(index) >= size) {
    throw std::invalid_argument(spec + " picked " + shown(answer) + wanted);
  }
  return static_cast<std::uint32_t>(index);
}

class PythonPicker final : public Picker<Shared> {
 public:
  PythonPicker(const PythonSource& source, std::uint64_t seed)
      : Picker<Shared>(source.done() || source.report()),
        source_(source),
        rng_(std::make_shared<PolicyRng>(PolicyRng{Rng(seed)})) {}

  std::uint32_t pick(const Candidates<Shared>& candidates, const Request& request) override {
    const auto view = std::make_shared<PolicyView>(candidates);
    if (view->ready.empty()) return kNobody;
    const py::gil_scoped_acquire gil;
    const AskingPython asking;
    const Rng before = rng_->rng;
    try {
      const std::uint32_t chosen = ask(view, request);
      view->during = nullptr;
      return chosen;
    } catch (...) {
      view->during = nullptr;
      rng_->rng = before;
      throw;
    }
  }

  // Nobody asked for a shadow's answer: what it raises goes where what nobody waits for goes.
  std::uint32_t pick_beside(const Candidates<Shared>& candidates, const Request& request) override {
    try {
      return pick(candidates, request);
    } catch (py::error_already_set& error) {
      const py::gil_scoped_acquire gil;
      error.discard_as_unraisable(source_.pick());
    } catch (const std::invalid_argument& error) {
      const py::gil_scoped_acquire gil;
      PyErr_SetString(PyExc_ValueError, error.what());
      PyErr_WriteUnraisable(source_.pick().ptr());
    }
    return kNobody;
  }

  std::size_t pick_many(const Candidates<Shared>& candidates, const Request& request,
                        std::span<std::uint32_t> chosen) override {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const std::uint32_t candidate = pick(candidates, request);
      if (candidate == kNobody) return i;
      chosen[i] = candidates[candidate].index;
    }
    return chosen.size();
  }

  void ended(const Endings& endings, double now) override {
    tell(endings.place, source_.done(), endings.count, endings.failed, endings.latency_s, now);
  }

  void reported(Place place, const Report& report, double now) override { tell(place, source_.report(), report, now); }

 private:
  std::uint32_t ask(const std::shared_ptr<PolicyView>& view, const Request& request) {
    const py::object answer = source_.pick()(view, PolicyRequest(request), rng_);
    if (answer.is_none()) return kNobody;
    return view->ready[index_of(answer, view->ready.size(), source_.spec())];
  }

  // News has no caller to raise to.
  template <class... News>
  void tell(Place place, const py::object& method, const News&... news) {
    if (!method) return;
    const auto address = source_.address(place);
    if (!address) return;
    const py::gil_scoped_acquire gil;
    const AskingPython asking;
    try {
      method(*address, news...);
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable(method);
    }
  }

  const PythonSource& source_;
  const std::shared_ptr<PolicyRng> rng_;
};

py::object method(const py::object& policy, const char* name) {
  return py::hasattr(policy, name) ? py::object(policy.attr(name)) : py::object();
}

}  // namespace

PythonSource::PythonSource(py::object policy, std::string spec, const Engine<Shared>& engine)
    : spec_(std::move(spec)),
      engine_(engine),
      pick_(policy.attr("pick")),
      done_(method(policy, "done")),
      report_(method(policy, "report")) {}

PythonSource::~PythonSource() {
  const py::gil_scoped_acquire gil;
  for (py::object* held : {&pick_, &done_, &report_}) *held = py::object();
}

std::unique_ptr<PickerSource<Shared>> PythonSource::twin() const {
  const py::gil_scoped_acquire gil;
  return std::unique_ptr<PickerSource<Shared>>(new PythonSource(*this));
}

std::unique_ptr<Picker<Shared>> PythonSource::lane(std::uint32_t, std::uint32_t lane, std::uint64_t seed, Probes&) {
  return std::make_unique<PythonPicker>(*this, Xxh64::hash(spec_, seed) + lane);
}

}  // namespace lbsuite::bind
