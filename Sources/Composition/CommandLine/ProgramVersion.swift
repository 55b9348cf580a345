/// Which version of First Come all three programs are, as `--version` prints it.
package enum ProgramVersion {
  package static let number = "0.1.0"
}
