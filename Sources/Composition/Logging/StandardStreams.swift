internal import Glibc

/// Makes writing to a pipe or socket that nobody reads any more an error of that write, and not the end of the process.
package func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Takes the places of standard streams that the program was started without, so that no file that it opens gets one of
/// them, and with it what is written there. Writing to such a stream stays an error.
package func holdStandardStreams() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    _ = unsafe open("/dev/null", O_RDONLY)  // gets the lowest number that is free
  }
}
