#pragma once
// Held around a call of an engine that may wait for one of its locks: whoever holds that lock may be asking a policy
// written in Python, which takes the GIL last of all. So nobody waits for an engine with the GIL in hand, save where no
// policy is written in Python: picks then hold it.

#include <pybind11/pybind11.h>

namespace lbsuite::bind {

namespace py = pybind11;

// What a thread does on behalf of an engine, inside a policy written in Python.
class AskingPython {
 public:
  AskingPython() { ++depth_; }
  ~AskingPython() { --depth_; }
  AskingPython(const AskingPython&) = delete;
  AskingPython& operator=(const AskingPython&) = delete;
  // Throws std::runtime_error on a thread that is inside of one: it would wait for itself.
  static void refuse_inside();

 private:
  static thread_local int depth_;
};

class Waiting {
  struct Outside {
    Outside() { AskingPython::refuse_inside(); }
  };
  const Outside outside_;
  const py::gil_scoped_release released_;
};

}  // namespace lbsuite::bind
