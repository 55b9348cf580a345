// Opens many connections in a short time, claims once on each, and counts the answers.
//
//   connection-spike PORT CAMPAIGN CONNECTIONS MILLISECONDS LIMIT_SECONDS
//
// Connections go from 127.0.0.1 to 127.0.0.4, since one source has too few ports, to PORT at 127.0.0.1. Prints a line `NAME COUNT` for each status, and for `refused`, `reset`,
// `closed` (without an answer) and `silent` (no answer within the limit).
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_EVENTS = 512, ADDRESSES = 4 };

struct connection {
  int descriptor;
  int number;
  int is_sent;
};

static long refused, reset, closed, silent, statuses[600];
static int ended;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void end(struct connection *connection, long *count) {
  close(connection->descriptor);
  connection->descriptor = -1;
  ++*count;
  ++ended;
}

static void begin(struct connection *connection, int number, int poll, int port) {
  connection->number = number;
  connection->is_sent = 0;
  connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection->descriptor < 0) fail("socket");
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001 + number % ADDRESSES)};
  struct sockaddr_in target = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int yes = 1;
  setsockopt(connection->descriptor, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &yes, sizeof yes);
  if (bind(connection->descriptor, (struct sockaddr *)&source, sizeof source) < 0) fail("bind");
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, connection->descriptor, &event) < 0) fail("epoll_ctl");
  if (connect(connection->descriptor, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS) {
    end(connection, errno == ECONNREFUSED ? &refused : &reset);
  }
}

static void go_on(struct connection *connection, unsigned events, const char *campaign) {
  if (connection->descriptor < 0) return;
  if (!connection->is_sent && (events & EPOLLOUT) && !(events & EPOLLERR)) {
    char request[512];
    int size = snprintf(
        request, sizeof request,
        "POST /v1/campaigns/%s/claims HTTP/1.1\r\nHost: x\r\nX-User-Id: user-%d\r\nConnection: close\r\n\r\n", campaign,
        connection->number);
    connection->is_sent = 1;
    if (send(connection->descriptor, request, size, MSG_NOSIGNAL) != size) return end(connection, &reset);
  }
  if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP))) return;
  char answer[4096];
  ssize_t size = recv(connection->descriptor, answer, sizeof answer - 1, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) return end(connection, errno == ECONNREFUSED ? &refused : &reset);
  if (size == 0) return end(connection, &closed);
  answer[size] = 0;
  int status = 0;
  if (sscanf(answer, "HTTP/1.1 %3d", &status) != 1 || status < 100 || status > 599) status = 0;
  end(connection, &statuses[status]);
}

int main(int count, char **arguments) {
  if (count != 6) {
    fprintf(stderr, "usage: connection-spike PORT CAMPAIGN CONNECTIONS MILLISECONDS LIMIT_SECONDS\n");
    return 64;
  }
  int port = atoi(arguments[1]), connections = atoi(arguments[3]);
  double spread = atof(arguments[4]) / 1000, limit = atof(arguments[5]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) fail("setrlimit");
  struct connection *all = calloc(connections, sizeof *all);
  int poll = epoll_create1(EPOLL_CLOEXEC), begun = 0;
  struct epoll_event events[MOST_EVENTS];
  double start = now(), opened = 0;
  while (ended < connections && now() - start < limit) {
    int due = spread > 0 ? (int)((now() - start) / spread * connections) : connections;
    int most = ended + (int)files.rlim_cur - 64;
    if (due > most) due = most;
    for (int n = 0; n < 256 && begun < connections && begun < due; n++, begun++) begin(&all[begun], begun, poll, port);
    if (begun == connections && opened == 0) opened = now() - start;
    int ready = epoll_wait(poll, events, MOST_EVENTS, begun < connections ? 0 : 100);
    for (int n = 0; n < ready; n++) go_on(events[n].data.ptr, events[n].events, arguments[2]);
  }
  silent = connections - ended;
  for (int status = 0; status < 600; status++) {
    if (statuses[status]) printf("%d %ld\n", status, statuses[status]);
  }
  printf("refused %ld\nreset %ld\nclosed %ld\nsilent %ld\n", refused, reset, closed, silent);
  printf("milliseconds_to_open %.0f\nmilliseconds_in_all %.0f\n", opened * 1000, (now() - start) * 1000);
  return 0;
}
