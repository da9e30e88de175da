#pragma once
// Methods without pybind11's argument loading: a call costs little more than an empty one.

#include <pybind11/pybind11.h>

#include <exception>
#include <stdexcept>

namespace lbsuite::bind {

// The C++ object behind a bound instance.
template <class Bound>
Bound& unpack(PyObject* self) {
  return *static_cast<Bound*>(reinterpret_cast<pybind11::detail::instance*>(self)->simple_value_holder[0]);
}

// call(bound, argument) returns a new reference; nullptr with an error set, or a C++ exception, which becomes the error
// that pybind11 would make of it, and a RuntimeError where it knows none.
template <class Bound, auto call>
PyObject* one_argument(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 1) {
    PyErr_Format(PyExc_TypeError, "takes one argument, not %zd", count);
    return nullptr;
  }
  try {
    return call(unpack<Bound>(self), args[0]);
  } catch (pybind11::error_already_set& error) {
    error.restore();
  } catch (const pybind11::builtin_exception& error) {
    error.set_error();
  } catch (const std::invalid_argument& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

// Puts call(bound, argument) on a bound type as its method `name`; doc must outlive the type.
template <class Bound, auto call>
void add_fast_method(const pybind11::object& type, const char* name, const char* doc) {
  static PyMethodDef method = {name,
                               reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&one_argument<Bound, call>)),
                               METH_FASTCALL, doc};
  type.attr(name) = pybind11::reinterpret_steal<pybind11::object>(
      PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &method));
}

}  // namespace lbsuite::bind
