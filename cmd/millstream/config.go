package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"millstream/cmd/internal/config"
)

// exitMistakes is the exit status for a configuration with mistakes.
const exitMistakes = 1

// printMistakes prints a line for each mistake of a configuration, as compilers do. The
// error is that of the command: an exit status if all has been said.
func printMistakes(w io.Writer, err error) error {
	mistakes, ok := errors.AsType[config.Error](err)
	if !ok {
		return err
	}
	fmt.Fprintln(w, mistakes)
	return verdict(exitMistakes)
}

// checkCommand says what is wrong with a configuration.
func checkCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Say what is wrong with a configuration",
		Long: `Read a configuration as serve does, with the files conf.d/*.toml beside it, and print
all that is wrong with it, a line each, with file, line and column; files of lists are
read too. Nothing else is opened and nobody is asked. The exit status is 0 if there are no
mistakes, and 1 if there are. With -c - standard input is read.`,
		Example: `  millstream check -c /etc/millstream/millstream.toml && systemctl restart millstream`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			read, err := readOnce(c, file)
			if err != nil {
				return printMistakes(c.ErrOrStderr(), err)
			}
			g, err := read.Build(config.Env{}) // some mistakes only show when the handlers are made
			if err != nil {
				return err
			}
			wrong, err := g.Check(), g.Close()
			if wrong != nil { // with files and lines too
				fmt.Fprintln(c.ErrOrStderr(), wrong)
				return verdict(exitMistakes)
			}
			return err
		},
	}
	configFlag(c, &file)
	if err := c.MarkFlagRequired("config"); err != nil {
		panic(err) // it has just been added
	}
	return c
}

// configFlag adds the flag that names the file.
func configFlag(c *cobra.Command, file *string) {
	c.Flags().StringVarP(file, "config", "c", "", "`file` with the configuration")
}

// readConfig reads a file, or without one the configuration of the program.
func readConfig(file string) (*config.Config, error) {
	if file == "" {
		return config.Default(config.Options{})
	}
	return config.Load(file, config.Options{})
}

// readOnce is readConfig for a command that does not need the file again: "-" is standard
// input, which has no conf.d beside it.
func readOnce(c *cobra.Command, file string) (*config.Config, error) {
	if file != "-" {
		return readConfig(file)
	}
	data, err := io.ReadAll(c.InOrStdin())
	if err != nil {
		return nil, err
	}
	return config.Parse([]config.File{{Name: "stdin", Data: data}}, config.Options{})
}

// configCommand prints things about configurations.
func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print an example of a configuration, its schema, or what is in force",
	}
	c.AddCommand(exampleCommand(), schemaCommand(), dumpCommand())
	return c
}

func exampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print the configuration that is served if none is given, with all keys explained",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(config.Example)
			return err
		},
	}
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a configuration, for editors and programs",
		Long: `Print the JSON Schema (draft 2020-12) of a configuration: all keys with their defaults,
for editors that complete and check, and for programs that write such a file. Editors
that use Taplo find it by a comment in the first line of the file:

  #:schema ./millstream.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e := json.NewEncoder(c.OutOrStdout())
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(config.Schema(config.Types()))
		},
	}
}

func dumpCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "dump",
		Short: "Print what is in force: all keys of a configuration, secrets as ***",
		Long: `Print a configuration as one file that has all of its keys: those of the file and of
conf.d/*.toml, variables of the environment filled in, and defaults. Secrets are ***.
Without --config it is the configuration that is served if none is given; with -c - it is
read from standard input.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			read, err := readOnce(c, file)
			if err != nil {
				return printMistakes(c.ErrOrStderr(), err)
			}
			_, err = c.OutOrStdout().Write(read.Dump())
			return err
		},
	}
	configFlag(c, &file)
	return c
}
