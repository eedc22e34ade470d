import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Paths;

/**
 * Runs TLC many times in one virtual machine: the first argument is tla2tools.jar, each line of the input holds the
 * arguments of one run, and each run is answered by what it printed and a line with the second argument.
 *
 * <p>TLC keeps its state in static fields, so each run gets classes of its own.
 */
public class TlcBatch {
  public static void main(String[] arguments) throws Exception {
    URL jar = Paths.get(arguments[0]).toUri().toURL();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    PrintStream output = System.out;
    for (String line; (line = input.readLine()) != null; ) {
      ByteArrayOutputStream printed = new ByteArrayOutputStream();
      System.setOut(new PrintStream(printed, true));
      System.setErr(new PrintStream(new ByteArrayOutputStream()));
      try (URLClassLoader loader = new URLClassLoader(new URL[] {jar}, ClassLoader.getPlatformClassLoader())) {
        run(loader, line.split("\t"));
      } catch (Throwable error) {
        error.printStackTrace(System.out);
      }
      System.setOut(output);
      output.println(printed.toString());
      output.println(arguments[1]);
      output.flush();
    }
    System.exit(0); // TLC leaves threads that would keep the virtual machine alive
  }

  private static void run(ClassLoader loader, String[] arguments) throws Exception {
    Class<?> tlc = loader.loadClass("tlc2.TLC");
    Object run = tlc.getConstructor().newInstance();
    if ((Boolean) tlc.getMethod("handleParameters", String[].class).invoke(run, (Object) arguments)) {
      Object files = loader.loadClass("util.SimpleFilenameToStream").getConstructor().newInstance();
      tlc.getMethod("setResolver", loader.loadClass("util.FilenameToStream")).invoke(run, files);
      tlc.getMethod("process").invoke(run);
    }
  }
}
