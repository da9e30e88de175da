// The least that a call from Python to a method of the METH_FASTCALL kind costs: one that does nothing.
#include <Python.h>

namespace {

PyObject* empty(PyObject*, PyObject* const*, Py_ssize_t) { return Py_NewRef(Py_None); }

PyMethodDef methods[] = {{"empty", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(empty)), METH_FASTCALL,
                          "Does nothing, whatever it is given."},
                         {nullptr, nullptr, 0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "empty_call", nullptr, 0, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_empty_call() { return PyModule_Create(&module); }
