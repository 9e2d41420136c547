# Writes a C++ file with files as arrays: cmake -DOUT=... -DREGULAR=... -DMEDIUM=... -DEXPERIMENTS=a;b -P embed.cmake
function(array name file)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  file(APPEND ${OUT} "static const unsigned char ${name}[] = {\n${bytes}};\n")
endfunction()

file(WRITE ${OUT} "// Written by scripts/embed.cmake.\n#include \"app/embedded.h\"\n\n")
array(regular ${REGULAR})
array(medium ${MEDIUM})
set(rows "")
string(REPLACE "," ";" EXPERIMENTS "${EXPERIMENTS}")
foreach(file ${EXPERIMENTS})
  get_filename_component(name ${file} NAME_WE)
  string(MAKE_C_IDENTIFIER experiment_${name} identifier)
  array(${identifier} ${file})
  string(APPEND rows "    {\"${name}\", ${identifier}, sizeof ${identifier}},\n")
endforeach()
file(APPEND ${OUT} "
namespace dalea::app {
const Embedded embedded_font_regular = {\"regular\", regular, sizeof regular};
const Embedded embedded_font_medium = {\"medium\", medium, sizeof medium};
const Embedded embedded_experiments[] = {
${rows}};
const size_t embedded_experiment_count = sizeof embedded_experiments / sizeof embedded_experiments[0];
}  // namespace dalea::app
")
