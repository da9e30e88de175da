/* Backends that answer every request at once with the same few bytes, and hold their connections: what a proxy is put
 * in front of where its own cost is the question. One thread; requests have no bodies.
 *
 * Usage: http_backend FIRST_PORT COUNT BODY_BYTES. FIRST_PORT 0 takes free ones. Prints "listening PORT" for each.
 * GET /counts answers with a line "PORT REQUESTS" for each, and is not counted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_BACKENDS = 64, MOST_BODY = 1 << 20, MOST_EVENTS = 512 };

struct backend {
  int port;
  unsigned long requests;
};

/* Of a listening socket, or of a connection; `seen` is how much of an empty line the last bytes were. */
struct watched {
  int socket, listens;
  unsigned seen;
  struct backend *backend;
};

static struct backend backends[MOST_BACKENDS];
static int count;
static char answer[MOST_BODY + 256];
static size_t answer_size;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int epoll, int socket, int listens, struct backend *backend) {
  struct watched *made = calloc(1, sizeof *made);
  if (made == NULL) die("no memory");
  *made = (struct watched){.socket = socket, .listens = listens, .backend = backend};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = made};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) die("cannot watch a socket");
}

static void listen_on(int epoll, int port, struct backend *backend) {
  const int one = 1;
  const int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(socket_, (struct sockaddr *)&address, size) != 0) die("cannot listen");
  if (listen(socket_, 4096) != 0) die("cannot listen");
  getsockname(socket_, (struct sockaddr *)&address, &size);
  backend->port = ntohs(address.sin_port);
  watch(epoll, socket_, 1, backend);
  printf("listening %d\n", backend->port);
}

static void take_connections(int epoll, const struct watched *listener) {
  const int one = 1;
  int taken;
  while ((taken = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(epoll, taken, 0, listener->backend);
  }
}

static int say(int socket, const char *bytes, size_t size) {
  return send(socket, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static int tell_counts(int socket) {
  char lines[MOST_BACKENDS * 32], head[128];
  int size = 0;
  for (int i = 0; i < count; ++i)
    size += snprintf(lines + size, sizeof lines - (size_t)size, "%d %lu\n", backends[i].port, backends[i].requests);
  const int head_size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size);
  return say(socket, head, (size_t)head_size) && say(socket, lines, (size_t)size);
}

/* The requests that end in these bytes: each ends with an empty line. */
static unsigned requests_in(struct watched *connection, const char *bytes, ssize_t size) {
  static const char empty_line[] = "\r\n\r\n";
  unsigned found = 0, seen = connection->seen;
  for (ssize_t i = 0; i < size; ++i) {
    seen = bytes[i] == empty_line[seen] ? seen + 1 : bytes[i] == '\r';
    if (seen == 4) {
      seen = 0;
      ++found;
    }
  }
  connection->seen = seen;
  return found;
}

/* 0: the connection is over. */
static int serve(struct watched *connection) {
  static char bytes[65536];
  const ssize_t size = recv(connection->socket, bytes, sizeof bytes, 0);
  if (size < 0) return errno == EAGAIN;
  if (size == 0) return 0;
  unsigned requests = requests_in(connection, bytes, size);
  if (requests == 1 && size > 11 && memcmp(bytes, "GET /counts", 11) == 0) return tell_counts(connection->socket);
  connection->backend->requests += requests;
  for (; requests > 0; --requests)
    if (!say(connection->socket, answer, answer_size)) return 0;
  return 1;
}

int main(int words, char **word) {
  const int first_port = words == 4 ? atoi(word[1]) : -1;
  count = words == 4 ? atoi(word[2]) : 0;
  const int body = words == 4 ? atoi(word[3]) : -1;
  if (first_port < 0 || count < 1 || count > MOST_BACKENDS || body < 0 || body > MOST_BODY) {
    fprintf(stderr, "usage: http_backend FIRST_PORT COUNT BODY_BYTES\n");
    return 2;
  }
  answer_size = (size_t)sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", body);
  memset(answer + answer_size, 'x', (size_t)body);
  answer_size += (size_t)body;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; ++i) listen_on(epoll, first_port ? first_port + i : 0, &backends[i]);
  fflush(stdout);
  struct epoll_event events[MOST_EVENTS];
  for (;;) {
    const int ready = epoll_wait(epoll, events, MOST_EVENTS, -1);
    for (int i = 0; i < ready; ++i) {
      struct watched *const each = events[i].data.ptr;
      if (each->listens) {
        take_connections(epoll, each);
      } else if (!serve(each)) {
        close(each->socket);
        free(each);
      }
    }
  }
}
