import Composition
import Reconciler

@main
enum Entrypoint {
  static func main() async { await runProgram(ReconcileCommand.self) }
}
