# Writes a C++ file with files as arrays: cmake -DOUT=FILE.cpp -DNAME=embedded_things -DFILES=a,b -P embed.cmake
file(WRITE ${OUT} "// Written by scripts/embed.cmake.\n#include \"common/embedded.h\"\n\n")
set(rows "")
string(REPLACE "," ";" FILES "${FILES}")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  string(MAKE_C_IDENTIFIER bytes_${name} identifier)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  file(APPEND ${OUT} "static const unsigned char ${identifier}[] = {\n${bytes}};\n")
  string(APPEND rows "    {\"${name}\", ${identifier}, sizeof ${identifier}},\n")
endforeach()
file(APPEND ${OUT} "
namespace dalea {
const Embedded ${NAME}[] = {
${rows}};
const size_t ${NAME}_count = sizeof ${NAME} / sizeof ${NAME}[0];
}  // namespace dalea
")
