# OpenSSL: the system's, where there is one; without it a proxy listens in plain text only.
option(LBSUITE_TLS "listen with TLS, by OpenSSL, where it is found" ON)
if(LBSUITE_TLS)
  find_package(OpenSSL 1.1.1 QUIET COMPONENTS SSL Crypto)
endif()
